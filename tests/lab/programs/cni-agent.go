// The lab's network for pods, in place of Calico: an agent of a DaemonSet that
// asks for as much as Calico's does. `install` copies the plugins to the node;
// `run` writes the CNI configuration from the node's podCIDR, sets a route to
// the pods of each other node, and stays.
package main

import (
	"context"
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const configuration = `{
  "cniVersion": "0.3.1",
  "name": "lab",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "install":
		err = install(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "run":
		err = run(os.Getenv("NODE_NAME"), os.Args[2])
	default:
		err = fmt.Errorf("usage: cni-agent install FROM TO | cni-agent run CONFIGURATION-FOLDER")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cni-agent:", err)
		os.Exit(1)
	}
}

func install(from, to string) error {
	files, err := ioutil.ReadDir(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := place(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); err != nil {
			return err
		}
	}
	return nil
}

// A plugin may be running while it is replaced.
func place(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	partial, err := os.OpenFile(to+".partial", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(partial, source); err != nil {
		return err
	}
	if err := partial.Close(); err != nil {
		return err
	}
	return os.Rename(to+".partial", to)
}

func run(own, folder string) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ready := false
	http.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	go func() { fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:9099", nil)) }()
	for {
		if err := step(client, own, folder); err != nil {
			fmt.Fprintln(os.Stderr, "cni-agent:", err)
		} else {
			ready = true
		}
		time.Sleep(2 * time.Second)
	}
}

func step(client kubernetes.Interface, own, folder string) error {
	nodes, err := client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if node.Spec.PodCIDR == "" {
			if node.Name == own {
				return fmt.Errorf("node %s has no podCIDR yet", own)
			}
			continue
		}
		if node.Name == own {
			err = write(folder, node.Spec.PodCIDR)
		} else {
			err = route(node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func write(folder, cidr string) error {
	path := filepath.Join(folder, "10-lab.conflist")
	text := fmt.Sprintf(configuration, cidr)
	if now, err := ioutil.ReadFile(path); err == nil && string(now) == text {
		return nil
	}
	if err := ioutil.WriteFile(path+".partial", []byte(text), 0644); err != nil {
		return err
	}
	return os.Rename(path+".partial", path)
}

func route(node v1.Node) error {
	_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
	if err != nil {
		return err
	}
	for _, address := range node.Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			return netlink.RouteReplace(&netlink.Route{Dst: pods, Gw: net.ParseIP(address.Address)})
		}
	}
	return fmt.Errorf("node %s has no address yet", node.Name)
}

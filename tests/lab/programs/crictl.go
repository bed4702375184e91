// crictl in the small, in place of cri-tools: what kubeadm 1.20 calls, and a few verbs for people.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"k8s.io/kubernetes/pkg/kubelet/cri/remote"
)

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "FATA:", err)
		os.Exit(1)
	}
}

func main() {
	ep := "unix:///run/containerd/containerd.sock"
	var a []string
	for i := 1; i < len(os.Args); i++ {
		s := os.Args[i]
		switch {
		case (s == "-r" || s == "--runtime-endpoint") && i+1 < len(os.Args):
			i++
			ep = os.Args[i]
		case strings.HasPrefix(s, "--runtime-endpoint="):
			ep = strings.SplitN(s, "=", 2)[1]
		default:
			a = append(a, s)
		}
	}
	if !strings.Contains(ep, "://") {
		ep = "unix://" + ep
	}
	if len(a) > 0 && (a[0] == "--version" || a[0] == "-v") {
		fmt.Println("crictl version v1.20.0 (stand-in)")
		return
	}
	rs, err := remote.NewRemoteRuntimeService(ep, 60*time.Second)
	die(err)
	is, err := remote.NewRemoteImageService(ep, 10*time.Minute)
	die(err)
	if len(a) == 0 {
		die(fmt.Errorf("no command"))
	}
	switch a[0] {
	case "info":
		st, err := rs.Status()
		die(err)
		for _, c := range st.Conditions {
			fmt.Printf("%s=%v %s %s\n", c.Type, c.Status, c.Reason, c.Message)
		}
	case "version":
		v, err := rs.Version("v1alpha2")
		die(err)
		fmt.Println(v.RuntimeName, v.RuntimeVersion, v.RuntimeApiVersion)
	case "images":
		l, err := is.ListImages(nil)
		die(err)
		for _, i := range l {
			fmt.Println(i.Id, i.RepoTags, i.RepoDigests, i.Size_)
		}
	case "inspecti":
		img, err := is.ImageStatus(&runtimeapi.ImageSpec{Image: a[len(a)-1]})
		die(err)
		if img == nil {
			die(fmt.Errorf("no such image %q present", a[len(a)-1]))
		}
		fmt.Println(img.String())
	case "pull":
		id, err := is.PullImage(&runtimeapi.ImageSpec{Image: a[len(a)-1]}, nil, nil)
		die(err)
		fmt.Println("Image is up to date for", id)
	case "ps":
		l, err := rs.ListContainers(nil)
		die(err)
		for _, c := range l {
			fmt.Printf("%.13s %s %s restart=%d pod=%.13s %s\n", c.Id, c.State, c.Metadata.Name, c.Metadata.Attempt, c.PodSandboxId, c.Image.Image)
		}
	case "pods":
		l, err := rs.ListPodSandbox(nil)
		die(err)
		for _, p := range l {
			if len(a) > 1 && a[1] == "-q" {
				fmt.Println(p.Id)
			} else {
				fmt.Printf("%.13s %s %s/%s\n", p.Id, p.State, p.Metadata.Namespace, p.Metadata.Name)
			}
		}
	case "stopp":
		for _, id := range a[1:] {
			die(rs.StopPodSandbox(id))
		}
	case "rmp":
		for _, id := range a[1:] {
			die(rs.RemovePodSandbox(id))
		}
	default:
		die(fmt.Errorf("stand-in: no such command %q", a[0]))
	}
}

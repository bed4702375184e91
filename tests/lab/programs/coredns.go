// A DNS server for the cluster in place of CoreDNS: answers <service>.<namespace>.svc.cluster.local from the Services.
package main

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() {
	ok := func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("OK")) }
	http.HandleFunc("/health", ok)
	go http.ListenAndServe(":8080", nil)
	cfg, err := rest.InClusterConfig()
	if err != nil {
		panic(err)
	}
	f := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(cfg), 10*time.Minute)
	svc := f.Core().V1().Services()
	lister := svc.Lister()
	inf := svc.Informer()
	stop := make(chan struct{})
	f.Start(stop)
	for !inf.HasSynced() {
		time.Sleep(100 * time.Millisecond)
	}
	_ = labels.Everything()
	m2 := http.NewServeMux()
	m2.HandleFunc("/ready", ok)
	go http.ListenAndServe(":8181", m2)
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Authoritative = true
		m.Rcode = dns.RcodeNameError
		for _, x := range q.Question {
			p := strings.Split(strings.TrimSuffix(strings.ToLower(x.Name), ".svc.cluster.local."), ".")
			if len(p) == 2 {
				if s, err := lister.Services(p[1]).Get(p[0]); err == nil {
					m.Rcode = dns.RcodeSuccess
					if ip := net.ParseIP(s.Spec.ClusterIP); ip != nil && x.Qtype == dns.TypeA {
						m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: x.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: ip})
					}
				}
			}
		}
		w.WriteMsg(m)
	})
	go func() { panic(dns.ListenAndServe(":53", "tcp", h)) }()
	panic(dns.ListenAndServe(":53", "udp", h))
}

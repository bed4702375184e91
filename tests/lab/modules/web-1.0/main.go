// A web page that says which pod on which node answered.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	h, _ := os.Hostname()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s node=%s from=%s\n", h, os.Getenv("NODE"), r.RemoteAddr) })
	panic(http.ListenAndServe(":8080", nil))
}

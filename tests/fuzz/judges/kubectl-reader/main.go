// What kubectl makes of a file: its documents as JSON, read by the reader that it reads
// files with (k8s.io/cli-runtime, `pkg/resource/visitor.go`: StreamVisitor). Each line of
// the input is a file as a JSON string; each line of the output is what came of it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

type answer struct {
	Documents []json.RawMessage `json:"documents"`
	Refused   string            `json:"refused,omitempty"`
}

func read(text string) (said answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			said.Refused = fmt.Sprintf("it panicked: %v", panicked)
		}
	}()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := runtime.RawExtension{}
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return said
		} else if err != nil {
			said.Refused = err.Error()
			return said
		}
		raw := bytes.TrimSpace(object.Raw)
		if len(raw) > 0 && !bytes.Equal(raw, []byte("null")) {
			said.Documents = append(said.Documents, raw)
		}
	}
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var text string
		if err == nil {
			err = json.Unmarshal(line, &text)
		}
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(read(text))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

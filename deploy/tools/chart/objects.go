package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

type object = map[string]any

// A thing is one rendered object.
type thing struct {
	kind, name string
	body       object
}

func (t thing) String() string { return t.kind + " " + t.name }

func read(path string) ([]thing, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var things []thing
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var body object
		err := decoder.Decode(&body)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if body != nil {
			things = append(things, thing{word(body, "kind"), word(body, "metadata", "name"), body})
		}
	}
	if len(things) == 0 {
		return nil, fmt.Errorf("%s: nothing was rendered", path)
	}
	return things, nil
}

// at follows a path into an object; nil where it ends early.
func at(value any, path ...string) any {
	for _, key := range path {
		inner, _ := value.(object)
		value = inner[key]
	}
	return value
}

func word(value any, path ...string) string {
	text, _ := at(value, path...).(string)
	return text
}

func number(value any, path ...string) int {
	number, _ := at(value, path...).(int)
	return number
}

func list(value any, path ...string) []object {
	items, _ := at(value, path...).([]any)
	var objects []object
	for _, item := range items {
		if inner, is := item.(object); is {
			objects = append(objects, inner)
		}
	}
	return objects
}

// pod is the pod's spec of a workload, or nil.
func (t thing) pod() object {
	switch t.kind {
	case "Rollout", "Deployment", "Job":
		spec, _ := at(t.body, "spec", "template", "spec").(object)
		return spec
	}
	return nil
}

func (t thing) podLabels() object {
	labels, _ := at(t.body, "spec", "template", "metadata", "labels").(object)
	return labels
}

func matches(selector any, labels object) bool {
	wanted, _ := selector.(object)
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return len(wanted) > 0
}

// variables of a container, by name.
func variables(container object) map[string]string {
	found := map[string]string{}
	for _, variable := range list(container, "env") {
		found[word(variable, "name")] = word(variable, "value")
	}
	return found
}

func arguments(container object) []string {
	var found []string
	values, _ := container["args"].([]any)
	for _, value := range values {
		found = append(found, fmt.Sprint(value))
	}
	return found
}

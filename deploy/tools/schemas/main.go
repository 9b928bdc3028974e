// Command schemas writes a strict JSON schema for every kind that the pinned modules describe: a field that a kind does not have is an
// error, as is the wrong apiVersion. It reads nothing but those modules, whose sums it checks.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: schemas SOURCES FOLDER"))
	}
	sources, err := readSources(os.Args[1])
	fail(err)
	written := 0
	var core definitions
	for _, source := range sources {
		folder, err := source.download()
		fail(err)
		files, err := source.find(folder)
		fail(err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			fail(err)
			var kinds []kind
			if strings.HasSuffix(file, ".json") {
				core, err = readDefinitions(text)
				fail(err)
				kinds = core.kinds()
			} else {
				kinds, err = readCustomResources(text, core)
				fail(err)
			}
			for _, kind := range kinds {
				fail(kind.write(os.Args[2]))
				written++
			}
		}
	}
	fmt.Printf("%d kinds\n", written)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// A source is a module and the files in it that describe kinds.
type source struct {
	module, version, sum string
	patterns             []string
}

func readSources(path string) ([]source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var sources []source
	for number, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) < 4 {
			return nil, fmt.Errorf("%s:%d: wants module, version, sum and files", path, number+1)
		}
		sources = append(sources, source{words[0], words[1], words[2], words[3:]})
	}
	return sources, nil
}

// download gets the module into Go's own cache and returns its folder.
func (s source) download() (string, error) {
	command := exec.Command("go", "mod", "download", "-json", s.module+"@"+s.version)
	command.Dir = os.TempDir()
	var told bytes.Buffer
	command.Stdout, command.Stderr = &told, &told
	failed := command.Run()
	var answer struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(told.Bytes(), &answer); err != nil || failed != nil || answer.Error != "" {
		return "", fmt.Errorf("the module %s %s is not to be had: %s", s.module, s.version, strings.TrimSpace(answer.Error+told.String()))
	}
	if answer.Sum != s.sum {
		return "", fmt.Errorf("the module %s %s is another than the pinned one: %s", s.module, s.version, answer.Sum)
	}
	return answer.Dir, nil
}

func (s source) find(folder string) ([]string, error) {
	var found []string
	for _, pattern := range s.patterns {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s %s has no %s", s.module, s.version, pattern)
		}
		found = append(found, files...)
	}
	return found, nil
}

type object = map[string]any

// A kind of object that a cluster knows, with the schema of it.
type kind struct {
	group, version, name string
	schema               object
}

func (k kind) write(folder string) error {
	apiVersion := k.version
	if k.group != "" {
		apiVersion = k.group + "/" + k.version
	}
	properties, _ := k.schema["properties"].(object)
	if properties == nil {
		return fmt.Errorf("%s %s has no properties", apiVersion, k.name)
	}
	properties["apiVersion"] = object{"const": apiVersion}
	properties["kind"] = object{"const": k.name}
	// What the cluster writes is no business of a chart.
	delete(properties, "status")
	required := list(k.schema["required"])
	for _, name := range []any{"apiVersion", "kind", "metadata"} {
		// Named twice, the schema would be none.
		if !slices.Contains(required, name) {
			required = append(required, name)
		}
	}
	k.schema["required"] = required
	k.schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	text, err := json.Marshal(k.schema)
	if err != nil {
		return err
	}
	group := k.group
	if group == "" {
		group = k.version // as kubeconform names the core group
	}
	path := filepath.Join(folder, group, strings.ToLower(k.name)+"_"+k.version+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func list(value any) []any {
	list, _ := value.([]any)
	return list
}

// definitions are Kubernetes' own, by name.
type definitions map[string]object

func readDefinitions(text []byte) (definitions, error) {
	var document struct{ Definitions definitions }
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	strict := definitions{}
	for name, definition := range document.Definitions {
		strict[name], _ = tighten(definition).(object)
	}
	return strict, nil
}

// kinds are the definitions that are whole objects, each with all that it refers to.
func (d definitions) kinds() []kind {
	var kinds []kind
	for _, definition := range d {
		names, _ := definition["x-kubernetes-group-version-kind"].([]any)
		properties, _ := definition["properties"].(object)
		if len(names) != 1 || properties["metadata"] == nil || properties["items"] != nil {
			continue
		}
		name := names[0].(object)
		schema := clone(definition)
		schema["definitions"] = d.neededBy(schema)
		kinds = append(kinds, kind{name["group"].(string), name["version"].(string), name["kind"].(string), schema})
	}
	return kinds
}

const reference = "#/definitions/"

// neededBy collects the definitions that a schema refers to, directly or through others.
func (d definitions) neededBy(schema any) object {
	needed := object{}
	var visit func(any)
	visit = func(part any) {
		switch part := part.(type) {
		case object:
			if to, is := part["$ref"].(string); is {
				name := strings.TrimPrefix(to, reference)
				if _, known := needed[name]; !known {
					needed[name] = d[name]
					visit(d[name])
				}
			}
			for _, inner := range part {
				visit(inner)
			}
		case []any:
			for _, inner := range part {
				visit(inner)
			}
		}
	}
	visit(schema)
	return needed
}

func readCustomResources(text []byte, core definitions) ([]kind, error) {
	var kinds []kind
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var crd struct {
			Kind string
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Served bool
					Schema struct {
						OpenAPIV3Schema object `yaml:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := decoder.Decode(&crd); err != nil {
			break
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, version := range crd.Spec.Versions {
			if !version.Served {
				continue
			}
			schema, _ := tighten(version.Schema.OpenAPIV3Schema).(object)
			// The CRDs leave these two open; Kubernetes says what is in them.
			schema["definitions"] = core.neededBy(fillOpen(schema))
			properties, _ := schema["properties"].(object)
			if properties == nil {
				return nil, fmt.Errorf("%s %s has no properties", crd.Spec.Names.Kind, version.Name)
			}
			properties["metadata"] = object{"$ref": reference + objectMeta}
			for name, definition := range core.neededBy(properties["metadata"]) {
				schema["definitions"].(object)[name] = definition
			}
			kinds = append(kinds, kind{crd.Spec.Group, version.Name, crd.Spec.Names.Kind, schema})
		}
	}
	if len(kinds) == 0 {
		return nil, fmt.Errorf("a file that describes no kind")
	}
	return kinds, nil
}

const (
	objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
	volume     = "io.k8s.api.core.v1.Volume"
)

// fillOpen puts Kubernetes' own schema where the pod of a custom resource keeps its volumes open.
func fillOpen(part any) any {
	switch part := part.(type) {
	case object:
		if properties, is := part["properties"].(object); is {
			if open, is := properties["volumes"].(object); is && properties["containers"] != nil && open["items"] == nil {
				properties["volumes"] = object{"type": "array", "items": object{"$ref": reference + volume}}
			}
		}
		for _, inner := range part {
			fillOpen(inner)
		}
	case []any:
		for _, inner := range part {
			fillOpen(inner)
		}
	}
	return part
}

// tighten refuses fields that are not listed, wherever fields are listed, and drops what only people read.
func tighten(part any) any {
	schema, is := part.(object)
	if !is {
		return part
	}
	tight := object{}
	for key, value := range schema {
		switch key {
		case "description", "default", "example", "externalDocs":
		case "properties", "patternProperties":
			properties := object{}
			for name, property := range value.(object) {
				properties[name] = tighten(property)
			}
			tight[key] = properties
		case "items", "additionalProperties", "not":
			tight[key] = tighten(value)
		case "allOf", "anyOf", "oneOf":
			// Alternatives list only what they require; the fields are listed beside them.
			tight[key] = value
		default:
			tight[key] = value
		}
	}
	properties, _ := tight["properties"].(object)
	open, _ := tight["x-kubernetes-preserve-unknown-fields"].(bool)
	if len(properties) > 0 && tight["additionalProperties"] == nil && !open {
		tight["additionalProperties"] = false
	}
	switch {
	case tight["x-kubernetes-int-or-string"] == true, tight["format"] == "int-or-string":
		delete(tight, "anyOf")
		delete(tight, "format")
		tight["type"] = []any{"integer", "string"}
	case tight["type"] == "string" && tight["format"] == nil && strings.Contains(fmt.Sprint(schema["description"]), "fixed-point representation of a number"):
		tight["type"] = []any{"integer", "number", "string"}
	}
	if tight["nullable"] == true {
		if name, is := tight["type"].(string); is {
			tight["type"] = []any{name, "null"}
		}
	}
	return tight
}

func clone(schema object) object {
	text, err := json.Marshal(schema)
	fail(err)
	var copied object
	fail(json.Unmarshal(text, &copied))
	return copied
}

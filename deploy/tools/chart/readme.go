package main

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readme prints the values as a table, from the comments over them. A value without one is an error.
func readme(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return err
	}
	var rows strings.Builder
	if err := section(&rows, document.Content[0], ""); err != nil {
		return err
	}
	fmt.Printf("| value | default | |\n|---|---|---|\n%s", rows.String())
	return nil
}

func section(rows *strings.Builder, mapping *yaml.Node, prefix string) error {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name := prefix + key.Value
		comment := words(key.HeadComment)
		isSection := value.Kind == yaml.MappingNode && len(value.Content) > 0 && value.Content[0].HeadComment != ""
		if comment == "" {
			return fmt.Errorf("%s has no comment", name)
		}
		if isSection {
			fmt.Fprintf(rows, "| **%s** | | %s |\n", name, comment)
			if err := section(rows, value, name+"."); err != nil {
				return err
			}
			continue
		}
		text, err := yaml.Marshal(inline(value))
		if err != nil {
			return err
		}
		fmt.Fprintf(rows, "| `%s` | `%s` | %s |\n", name, strings.TrimSpace(string(text)), comment)
	}
	return nil
}

// words are a comment's, of its last paragraph: what stands above an empty line is about the file.
func words(comment string) string {
	paragraphs := strings.Split(comment, "\n\n")
	lines := strings.Split(paragraphs[len(paragraphs)-1], "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(lines[i]), "#"))
	}
	return strings.ReplaceAll(strings.Join(lines, " "), "|", `\|`)
}

// inline makes a value one line.
func inline(value *yaml.Node) *yaml.Node {
	value.Style, value.HeadComment, value.FootComment, value.LineComment = yaml.FlowStyle, "", "", ""
	for _, inner := range value.Content {
		inline(inner)
	}
	return value
}

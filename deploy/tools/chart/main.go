// Command chart checks what `helm template` rendered: the rules that a schema cannot see, the program's own opinion of its settings, and the
// gateway in front of real backends. It also writes the chart's README from the values.
package main

import (
	"fmt"
	"os"
)

const usage = `usage:
  chart rules RENDERED [CPU MEMORY]     rules between objects; with two quantities, all pods together must fit
  chart settings RENDERED PROGRAM SCHEMA
                                        starts the program with every container's arguments and variables
  chart gateway RENDERED PROGRAM [SCENARIO…]
                                        runs HAProxy with the rendered configuration, and does to its pods what releases and accidents do
  chart argocd OBJECTS REPOSITORY HELM INTO
                                        follows the Applications as Argo CD does, renders each into a folder, and checks what projects allow
  chart lab PRODUCTION LAB              what the lab changes of production is what it may change
  chart readme VALUES                   prints the table of values`

func main() {
	arguments := os.Args[1:]
	err := fmt.Errorf("%s", usage)
	if len(arguments) >= 2 {
		switch arguments[0] {
		case "rules":
			err = rules(arguments[1], arguments[2:])
		case "settings":
			if len(arguments) == 4 {
				err = settings(arguments[1], arguments[2], arguments[3])
			}
		case "gateway":
			if len(arguments) >= 3 {
				err = gateway(arguments[1], arguments[2], arguments[3:]...)
			}
		case "argocd":
			if len(arguments) == 5 {
				err = argocd(arguments[1], arguments[2], arguments[3], arguments[4])
			}
		case "lab":
			if len(arguments) == 3 {
				err = lab(arguments[1], arguments[2])
			}
		case "readme":
			err = readme(arguments[1])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

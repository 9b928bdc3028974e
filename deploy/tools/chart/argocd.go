package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A delivery is what Argo CD makes of a root Application: all Applications, and what each of them renders to.
type delivery struct {
	repository, helm, into string
	projects               map[string]object
	rendered               map[string][]thing
	findings
}

// argocd follows the Applications from OBJECTS on as Argo CD does, writes what each renders to into a folder, and checks what may be where.
func argocd(objects, repository, helm, into string) error {
	things, err := read(objects)
	if err != nil {
		return err
	}
	d := &delivery{repository: repository, helm: helm, into: into, projects: map[string]object{}, rendered: map[string][]thing{}}
	for _, thing := range things {
		if thing.kind == "AppProject" {
			d.projects[thing.name] = thing.body
		}
	}
	for _, thing := range things {
		if thing.kind == "Application" {
			if err := d.follow(thing); err != nil {
				return err
			}
		}
	}
	for name, project := range d.projects {
		d.narrow(thing{"AppProject", name, project})
	}
	if len(d.told) > 0 {
		sort.Strings(d.told)
		return fmt.Errorf("%s:\n  %s", objects, strings.Join(slices.Compact(d.told), "\n  "))
	}
	return nil
}

// follow renders an Application and goes on with those that it brings.
func (d *delivery) follow(application thing) error {
	project, is := d.projects[word(application.body, "spec", "project")]
	if !is {
		d.tell(application, "belongs to the project %q, which is not there", word(application.body, "spec", "project"))
		return nil
	}
	things, err := d.render(application)
	if err != nil {
		return fmt.Errorf("%s: %w", application, err)
	}
	d.rendered[application.name] = things
	d.allowed(application, project, things)
	d.synced(application, things)
	for _, thing := range things {
		if thing.kind == "Application" {
			if err := d.follow(thing); err != nil {
				return err
			}
		}
	}
	return nil
}

// render does what Argo CD's repository server does: helm with the Application's values, or the files of a folder.
func (d *delivery) render(application thing) ([]thing, error) {
	source := at(application.body, "spec", "source")
	path := filepath.Join(d.repository, word(source, "path"))
	file := filepath.Join(d.into, application.name+".yaml")
	if include := word(source, "directory", "include"); include != "" {
		text, err := os.ReadFile(filepath.Join(path, include))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return nil, err
		}
		return read(file)
	}
	arguments := []string{"template", word(source, "helm", "releaseName"), path, "--namespace", word(application.body, "spec", "destination", "namespace"), "--kube-version", "1.34.4"}
	names, _ := at(source, "helm", "valueFiles").([]any)
	for _, name := range names {
		values := filepath.Join(path, fmt.Sprint(name))
		if below, err := filepath.Rel(d.repository, values); err != nil || strings.HasPrefix(below, "..") {
			return nil, fmt.Errorf("%v lies outside of the repository", name)
		}
		arguments = append(arguments, "--values", values)
	}
	if given := at(source, "helm", "valuesObject"); given != nil {
		text, err := yaml.Marshal(given)
		if err != nil {
			return nil, err
		}
		values := filepath.Join(d.into, application.name+".values.yaml")
		if err := os.WriteFile(values, text, 0o644); err != nil {
			return nil, err
		}
		defer os.Remove(values)
		arguments = append(arguments, "--values", values)
	}
	var said bytes.Buffer
	command := exec.Command(d.helm, arguments...)
	command.Stderr = &said
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, err
	}
	return read(file)
}

// allowed checks an Application and its objects against its project, as Argo CD does before it syncs.
func (d *delivery) allowed(application thing, project object, things []thing) {
	if sources, _ := at(project, "spec", "sourceRepos").([]any); !slices.Contains(sources, any(word(application.body, "spec", "source", "repoURL"))) {
		d.tell(application, "comes from %s, which its project does not allow", word(application.body, "spec", "source", "repoURL"))
	}
	server, home := word(application.body, "spec", "destination", "server"), word(application.body, "spec", "destination", "namespace")
	reaches := func(namespace string) bool {
		for _, destination := range list(project, "spec", "destinations") {
			if word(destination, "server") == server && word(destination, "namespace") == namespace {
				return true
			}
		}
		return false
	}
	for _, thing := range things {
		namespace := word(thing.body, "metadata", "namespace")
		if namespace == "" {
			namespace = home
		}
		if !reaches(namespace) {
			d.tell(application, "brings the %s to %s on %s, which its project does not allow", thing, namespace, server)
		}
		if !listed(project, "namespaceResourceWhitelist", thing) {
			d.tell(application, "brings the %s, whose kind its project does not allow", thing)
		}
	}
}

// listed is whether a project's list names the kind of a thing.
func listed(project object, list_ string, thing thing) bool {
	group, _, is := strings.Cut(word(thing.body, "apiVersion"), "/")
	if !is {
		group = ""
	}
	for _, entry := range list(project, "spec", list_) {
		if word(entry, "group") == group && word(entry, "kind") == thing.kind {
			return true
		}
	}
	return false
}

// narrow checks that a project allows what is used and nothing besides.
func (d *delivery) narrow(project thing) {
	if clusterWide, _ := at(project.body, "spec", "clusterResourceWhitelist").([]any); len(clusterWide) > 0 {
		d.tell(project, "allows objects that belong to the whole cluster")
	}
	if text, err := yaml.Marshal(at(project.body, "spec")); err != nil || bytes.ContainsRune(text, '*') {
		d.tell(project, "says * somewhere, which is everything")
	}
	for _, entry := range list(project.body, "spec", "namespaceResourceWhitelist") {
		used := false
		for _, things := range d.rendered {
			for _, thing := range things {
				group, _, is := strings.Cut(word(thing.body, "apiVersion"), "/")
				used = used || thing.kind == word(entry, "kind") && (group == word(entry, "group") || !is && word(entry, "group") == "")
			}
		}
		if !used {
			d.tell(project, "allows %s, which nobody needs", word(entry, "kind"))
		}
	}
}

// synced checks how an Application is kept as Git says.
func (d *delivery) synced(application thing, things []thing) {
	policy := at(application.body, "spec", "syncPolicy")
	if at(policy, "automated", "prune") != true || at(policy, "automated", "selfHeal") != true {
		d.tell(application, "is not kept as Git says: prune and selfHeal must be on")
	}
	if limit := number(policy, "retry", "limit"); limit < 1 || limit > 5 {
		d.tell(application, "tries %d times, which is not at all or too often", limit)
	}
	if at(policy, "retry", "refresh") != true {
		d.tell(application, "holds on to a failed commit when a newer one is there: retry.refresh must be on")
	}
	options, _ := at(policy, "syncOptions").([]any)
	has := func(option string) bool { return slices.Contains(options, any(option)) }
	scaled, steered := map[string]bool{}, false
	for _, thing := range things {
		steered = steered || thing.kind == "Rollout"
		if thing.kind == "HorizontalPodAutoscaler" {
			target := at(thing.body, "spec", "scaleTargetRef")
			scaled[word(target, "kind")+" "+word(target, "name")] = true
		}
	}
	ignored := map[string]bool{}
	for _, entry := range list(application.body, "spec", "ignoreDifferences") {
		pointers, _ := entry["jsonPointers"].([]any)
		for _, pointer := range pointers {
			ignored[strings.TrimSpace(word(entry, "kind")+" "+word(entry, "name"))+" "+fmt.Sprint(pointer)] = true
		}
	}
	const selector = "Service /spec/selector/rollouts-pod-template-hash"
	if steered && (!ignored[selector] || !has("RespectIgnoreDifferences=true")) {
		d.tell(application, "takes from a Service what Rollouts wrote into its selector")
	}
	if steered && has("ApplyOutOfSyncOnly=true") {
		d.tell(application, "passes over a Rollout that was given up when it tries again (ApplyOutOfSyncOnly)")
	}
	if steered && has("ServerSideApply=true") {
		d.tell(application, "drops what Rollouts wrote into selectors (ServerSideApply)")
	}
	delete(ignored, selector)
	for name := range scaled {
		if !ignored[name+" /spec/replicas"] {
			d.tell(application, "sets the number of pods of %s, which an autoscaler decides", name)
		}
		delete(ignored, name+" /spec/replicas")
	}
	for name := range ignored {
		d.tell(application, "does not heal %s", name)
	}
}

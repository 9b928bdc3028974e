package main

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// findings collects what breaks a rule.
type findings struct {
	things []thing
	told   []string
}

func (f *findings) tell(about thing, words string, with ...any) {
	f.told = append(f.told, about.String()+": "+fmt.Sprintf(words, with...))
}

func (f *findings) has(kind, name string) bool {
	for _, thing := range f.things {
		if thing.kind == kind && thing.name == name {
			return true
		}
	}
	return false
}

// rules checks what holds between objects, and what every pod of ours promises.
func rules(path string, fits []string) error {
	things, err := read(path)
	if err != nil {
		return err
	}
	f := &findings{things: things}
	names := map[string]bool{}
	for _, thing := range things {
		if names[thing.String()] {
			f.tell(thing, "is there twice")
		}
		names[thing.String()] = true
		f.order(thing)
		if thing.pod() != nil {
			f.workload(thing)
			f.protection(thing)
		}
		switch thing.kind {
		case "Service":
			f.service(thing)
		case "HorizontalPodAutoscaler":
			if target := at(thing.body, "spec", "scaleTargetRef"); !f.has(word(target, "kind"), word(target, "name")) {
				f.tell(thing, "scales something that is not there")
			}
		case "Rollout":
			f.rollout(thing)
			f.proofs(thing)
		case "AnalysisTemplate":
			f.analysis(thing)
		case "ConfigMap":
			f.gateway(thing)
		}
	}
	if len(fits) == 2 {
		f.fit(fits[0], fits[1])
	}
	if len(f.told) > 0 {
		sort.Strings(f.told)
		return fmt.Errorf("%s:\n  %s", path, strings.Join(f.told, "\n  "))
	}
	return nil
}

// waves is the order of a release: what is configured, the database, the API, the pages and who leads to them, the workers, a purchase.
var waves = map[string]string{"migrate": "-1", "api": "0", "storefront": "1", "backoffice": "1", "gateway": "1", "worker": "2", "smoke": "3"}

func (f *findings) order(thing thing) {
	wave := word(thing.body, "metadata", "annotations", "argocd.argoproj.io/sync-wave")
	if _, err := strconv.Atoi(wave); err != nil {
		f.tell(thing, "has no place in the order of a release (sync-wave)")
	}
	component := word(thing.body, "metadata", "labels", "app.kubernetes.io/component")
	if wanted := waves[component]; thing.pod() != nil && wave != wanted {
		f.tell(thing, "is in wave %s of a release and belongs to %s", wave, wanted)
	}
	if _, is := at(thing.body, "metadata", "annotations", "argocd.argoproj.io/hook").(string); thing.kind == "Job" && !is {
		if word(thing.body, "metadata", "annotations", "helm.sh/hook") == "" {
			f.tell(thing, "is no hook: a job cannot be changed by the next release")
		}
	}
}

var (
	byDigest = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}$`)
	secret   = regexp.MustCompile(`(^|_)(URL|PASSWORD|CREDENTIAL|TOKEN|KEY|SECRET)$`)
	harmless = map[string]bool{"TRADEWIND__HTTP__PUBLIC_URL": true, "TRADEWIND__WEB__API_URL": true}
)

func (f *findings) workload(thing thing) {
	pod := thing.pod()
	if !matches(at(thing.body, "spec", "selector", "matchLabels"), thing.podLabels()) && thing.kind != "Job" {
		f.tell(thing, "does not select its own pods")
	}
	for _, field := range []string{"automountServiceAccountToken", "enableServiceLinks"} {
		if pod[field] != false {
			f.tell(thing, "%s must be false", field)
		}
	}
	if at(pod, "securityContext", "runAsNonRoot") != true || number(pod, "securityContext", "runAsUser") < 10000 {
		f.tell(thing, "does not run as a user without rights")
	}
	if word(pod, "securityContext", "seccompProfile", "type") != "RuntimeDefault" {
		f.tell(thing, "has no seccomp profile")
	}
	if account := word(pod, "serviceAccountName"); account != "default" && !f.has("ServiceAccount", account) {
		f.tell(thing, "runs under the account %q, which is not there", account)
	}
	scaled := false
	for _, other := range f.things {
		target := at(other.body, "spec", "scaleTargetRef")
		scaled = scaled || other.kind == "HorizontalPodAutoscaler" && word(target, "kind") == thing.kind && word(target, "name") == thing.name
	}
	if _, fixed := at(thing.body, "spec", "replicas").(int); thing.kind != "Job" && fixed == scaled {
		f.tell(thing, "must say how many pods there are, or leave that to an autoscaler")
	}
	volumes := map[string]bool{}
	for _, volume := range list(pod, "volumes") {
		volumes[word(volume, "name")] = true
		if name := word(volume, "configMap", "name"); name != "" && at(volume, "configMap", "optional") != true && !f.has("ConfigMap", name) {
			f.tell(thing, "mounts the ConfigMap %s, which is not there", name)
		}
		if name := word(volume, "secret", "secretName"); name != "" {
			f.secret(thing, name)
		}
	}
	for _, container := range append(list(pod, "containers"), list(pod, "initContainers")...) {
		f.container(thing, container, volumes)
	}
}

// secret checks that a Secret is written by an ExternalSecret, with the keys that are read, if any Secret is.
func (f *findings) secret(thing thing, name string) {
	external := false
	for _, other := range f.things {
		if other.kind != "ExternalSecret" {
			continue
		}
		external = true
		if word(other.body, "spec", "target", "name") != name {
			continue
		}
		keys := map[string]bool{}
		for _, entry := range list(other.body, "spec", "data") {
			keys[word(entry, "secretKey")] = true
		}
		for _, container := range list(thing.pod(), "containers") {
			for variable, value := range variables(container) {
				key, is := strings.CutPrefix(value, "/run/secrets/tradewind/")
				if is && !keys[key] {
					f.tell(thing, "%s reads %s, which is not in the Secret %s", variable, key, name)
				}
			}
		}
		return
	}
	if external {
		f.tell(thing, "mounts the Secret %s, which nothing writes", name)
	}
}

func (f *findings) container(thing thing, container object, volumes map[string]bool) {
	if image := word(container, "image"); !byDigest.MatchString(image) {
		f.tell(thing, "the image %q is not named by its digest alone", image)
	}
	security := at(container, "securityContext")
	dropped, _ := at(security, "capabilities", "drop").([]any)
	if at(security, "allowPrivilegeEscalation") != false || at(security, "readOnlyRootFilesystem") != true || len(dropped) != 1 || dropped[0] != "ALL" {
		f.tell(thing, "may do more than it needs (privileges, capabilities, a root file system that can be written)")
	}
	for _, field := range [][]string{{"requests", "cpu"}, {"requests", "memory"}, {"limits", "memory"}} {
		if at(container, append([]string{"resources"}, field...)...) == nil {
			f.tell(thing, "says nothing of its resources.%s", strings.Join(field, "."))
		}
	}
	for _, mount := range list(container, "volumeMounts") {
		if name := word(mount, "name"); !volumes[name] {
			f.tell(thing, "mounts %s, which is no volume of the pod", name)
		}
	}
	for variable, value := range variables(container) {
		if secret.MatchString(variable) && !harmless[variable] {
			f.tell(thing, "%s gives a secret as a variable; name its file", variable)
		}
		if variable == "TRADEWIND__WEB__API_URL" {
			f.reaches(thing, value)
		}
	}
	for _, argument := range arguments(container) {
		if strings.HasPrefix(argument, "http://") && !strings.Contains(argument, "{{") {
			f.reaches(thing, argument)
		}
	}
	if thing.kind == "Job" {
		return
	}
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		if container[probe] == nil {
			f.tell(thing, "has no %s", probe)
		}
	}
	if word(container, "livenessProbe", "httpGet", "path") == "/readyz" {
		f.tell(thing, "is killed for what others do: liveness must not ask for readiness")
	}
	f.drain(thing, container)
}

// drain checks that a pod is given the time it takes to stop.
func (f *findings) drain(thing thing, container object) {
	grace := number(thing.pod(), "terminationGracePeriodSeconds")
	milliseconds := func(name string) int {
		value, _ := strconv.Atoi(variables(container)[name])
		return value
	}
	delay, timeout := milliseconds("TRADEWIND__HTTP__DRAIN_DELAY_MS")/1000, milliseconds("TRADEWIND__HTTP__DRAIN_TIMEOUT_MS")/1000
	if len(arguments(container)) == 0 {
		delay = number(container, "lifecycle", "preStop", "sleep", "seconds")
	}
	if delay < 5 {
		f.tell(thing, "stops before others have noticed: it must go on serving for some seconds")
	}
	if grace <= delay+timeout {
		f.tell(thing, "is killed after %d s, before it can have ended what it does", grace)
	}
}

// reaches checks that an address inside the cluster is that of a Service and a port of it.
func (f *findings) reaches(thing thing, address string) {
	to, err := url.Parse(address)
	if err == nil {
		for _, other := range f.things {
			for _, port := range list(other.body, "spec", "ports") {
				if other.kind == "Service" && other.name == to.Hostname() && strconv.Itoa(number(port, "port")) == cmp.Or(to.Port(), "80") {
					return
				}
			}
		}
	}
	f.tell(thing, "calls %s, which is no Service here", address)
}

// protection checks that a workload is not interrupted as a whole, and that the network lets it do what it must and nothing else.
func (f *findings) protection(thing thing) {
	budget, policies, covered, nobody := false, false, false, false
	for _, other := range f.things {
		switch other.kind {
		case "PodDisruptionBudget":
			budget = budget || matches(at(other.body, "spec", "selector", "matchLabels"), thing.podLabels())
		case "NetworkPolicy":
			policies = true
			selects := matches(at(other.body, "spec", "podSelector", "matchLabels"), thing.podLabels())
			if selects && at(other.body, "spec", "ingress") == nil && at(other.body, "spec", "egress") == nil {
				nobody = true
			} else {
				covered = covered || selects
			}
		}
	}
	if !budget && thing.kind != "Job" {
		f.tell(thing, "has no PodDisruptionBudget")
	}
	if policies && !(covered && nobody) {
		f.tell(thing, "is not covered by the network's policies")
	}
}

func (f *findings) service(service thing) {
	selected := false
	for _, thing := range f.things {
		if thing.pod() == nil || !matches(at(service.body, "spec", "selector"), thing.podLabels()) {
			continue
		}
		selected = true
		ports := map[string]bool{}
		for _, container := range list(thing.pod(), "containers") {
			for _, port := range list(container, "ports") {
				ports[word(port, "name")] = true
				ports[strconv.Itoa(number(port, "containerPort"))] = true
			}
		}
		for _, port := range list(service.body, "spec", "ports") {
			if target := fmt.Sprint(port["targetPort"]); len(ports) > 0 && !ports[target] {
				f.tell(service, "leads to port %s, which %s does not have", target, thing)
			}
		}
	}
	if !selected {
		f.tell(service, "selects no pods")
	}
}

func (f *findings) rollout(rollout thing) {
	strategy := at(rollout.body, "spec", "strategy", "blueGreen")
	for _, role := range []string{"activeService", "previewService"} {
		if name := word(strategy, role); !f.has("Service", name) {
			f.tell(rollout, "names the %s %q, which is not there", role, name)
		}
	}
	if component := word(rollout.body, "metadata", "labels", "app.kubernetes.io/component"); component == "worker" {
		f.tell(rollout, "workers must never run in a preview")
	}
}

var template = regexp.MustCompile(`server-template (\S+) (\d+) ([^.\s]+)\.\S+:(\d+)`)

// gateway checks that the gateway looks for pods under the names of Services, and has a place for each of them.
func (f *findings) gateway(config thing) {
	text := word(config.body, "data", "haproxy.cfg")
	for _, line := range template.FindAllStringSubmatch(text, -1) {
		name, places, host := line[1], line[2], line[3]
		if !f.has("Service", host) {
			f.tell(config, "looks for pods of %s, which is no Service here", host)
		}
		for _, other := range f.things {
			if other.kind == "Service" && other.name == host && word(other.body, "spec", "clusterIP") != "None" {
				f.tell(config, "sees one address of %s where it must see its pods", host)
			}
			most := number(other.body, "spec", "maxReplicas")
			if other.pod() != nil {
				most = number(other.body, "spec", "replicas")
			}
			if has, _ := strconv.Atoi(places); strings.HasSuffix(other.name, "-"+name) && most > has {
				f.tell(config, "has %d places for %d pods of %s", has, most, name)
			}
		}
	}
}

// fit checks that all pods together fit on a node, with what rolls over during a release.
func (f *findings) fit(cpu, memory string) {
	cores, bytes := 0, 0
	for _, thing := range f.things {
		pods := max(1, number(thing.body, "spec", "replicas"))
		if thing.pod() == nil {
			continue
		}
		for _, container := range list(thing.pod(), "containers") {
			cores += pods * milli(word(container, "resources", "requests", "cpu"))
			bytes += pods * mebi(word(container, "resources", "requests", "memory"))
		}
	}
	if cores > milli(cpu) || bytes > mebi(memory) {
		f.told = append(f.told, fmt.Sprintf("all pods together ask for %dm CPU and %dMi, more than %s and %s", cores, bytes, cpu, memory))
	}
}

func milli(quantity string) int {
	if thousandths, is := strings.CutSuffix(quantity, "m"); is {
		value, _ := strconv.Atoi(thousandths)
		return value
	}
	value, _ := strconv.Atoi(quantity)
	return value * 1000
}

func mebi(quantity string) int {
	if gibi, is := strings.CutSuffix(quantity, "Gi"); is {
		value, _ := strconv.Atoi(gibi)
		return value * 1024
	}
	value, _ := strconv.Atoi(strings.TrimSuffix(quantity, "Mi"))
	return value
}

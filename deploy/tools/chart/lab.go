package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Where a pod is described: in a workload, or in the proof of a release.
const ofPod = `(spec\.metrics\.[\w-]+\.provider\.job\.)?spec\.template\.spec\.`

// What the lab may change of production: image references, sizes, the gateway's network, spread, endpoints, how pods are found, where secrets come from.
// Each is a path in an object; an object's name alone means the object as a whole.
var labMay = []*regexp.Regexp{
	// Image references.
	regexp.MustCompile(`^\S+ \S+ ` + ofPod + `containers\.\w+\.image(PullPolicy)?$`),
	// Sizes.
	regexp.MustCompile(`^\S+ \S+ spec\.(replicas|minReplicas|maxReplicas)$`),
	regexp.MustCompile(`^\S+ \S+ ` + ofPod + `containers\.\w+\.resources\.`),
	regexp.MustCompile(`^HorizontalPodAutoscaler tradewind-worker$`),
	regexp.MustCompile(`^ConfigMap tradewind-gateway data\.haproxy\.cfg\.(maxconn|nbthread|server-template) `),
	// The gateway's network: the node's own, and nobody before it.
	regexp.MustCompile(`^Deployment tradewind-gateway spec\.template\.spec\.(hostNetwork|dnsPolicy)$`),
	regexp.MustCompile(`^Deployment tradewind-gateway spec\.template\.spec\.containers\.haproxy\.(\w+Probe\.httpGet\.host|ports\.)`),
	regexp.MustCompile(`^ConfigMap tradewind-gateway data\.haproxy\.cfg\.(bind|acl is_balanced|http-request set-var\(txn\.is_balanced\)|http-request set-src|http-request set-header x-forwarded-proto) `),
	regexp.MustCompile(`^Ingress tradewind$`),
	// Spread.
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.topologySpreadConstraints(\.|$)`),
	// Endpoints.
	regexp.MustCompile(`^\S+ \S+ ` + ofPod + `containers\.\w+\.env\.(DATABASE_DIRECT_URL_FILE|TRADEWIND__HTTP__PUBLIC_URL|TRADEWIND__HTTP__TRUSTED_PROXIES)\.`),
	regexp.MustCompile(`^NetworkPolicy \S+ spec\.egress\.`),
	regexp.MustCompile(`^Rollout \S+ spec\.strategy\.blueGreen\.(pre|post)PromotionAnalysis\.args\.prometheus\.`),
	// The data: a shop of the demo, whose pictures lie on the machine.
	regexp.MustCompile(`^\S+ \S+ ` + ofPod + `containers\.\w+\.env\.TRADEWIND__DEMO\.value$`),
	regexp.MustCompile(`^Rollout tradewind-storefront spec\.template\.spec\.(volumes|containers\.storefront\.volumeMounts)\.media\.`),
	// How pods are found for scraping, and where secrets come from.
	regexp.MustCompile(`^ServiceMonitor tradewind-operations$`),
	regexp.MustCompile(`^ExternalSecret tradewind-(api|pages|worker|migrate)$`),
}

// lab prints every difference of what the lab renders from production, and checks that it is one of those that may be.
func lab(production, of string) error {
	one, err := paths(production)
	if err != nil {
		return err
	}
	other, err := paths(of)
	if err != nil {
		return err
	}
	differences := map[string]string{}
	note := func(path, before, after string) {
		differences[path] = fmt.Sprintf("%s: %s → %s", path, before, after)
	}
	for _, name := range both(one, other) {
		if one[name] == nil || other[name] == nil {
			note(name, presence(one[name] != nil), presence(other[name] != nil))
			continue
		}
		for _, path := range both(one[name], other[name]) {
			before, was := one[name][path]
			after, is := other[name][path]
			if before != after || was != is {
				note(name+" "+path, shown(before, was), shown(after, is))
			}
		}
	}
	refused := []string{}
	for _, path := range both(differences, nil) {
		fmt.Println(differences[path])
		if !may(path) {
			refused = append(refused, differences[path])
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("the lab changes more of production than it may:\n  %s", strings.Join(refused, "\n  "))
	}
	return nil
}

// both is the names that either has, in order.
func both[V any](one, other map[string]V) []string {
	names := []string{}
	for name := range one {
		names = append(names, name)
	}
	for name := range other {
		if _, is := one[name]; !is {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func presence(is bool) string {
	if is {
		return "there"
	}
	return "not there"
}

func shown(value string, is bool) string {
	if is {
		return strconv.Quote(value)
	}
	return "not there"
}

func may(path string) bool {
	for _, pattern := range labMay {
		if pattern.MatchString(path) {
			return true
		}
	}
	return false
}

// paths is every value of every object by its path. Items of lists are called by their names where they have some.
func paths(file string) (map[string]map[string]string, error) {
	things, err := read(file)
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]string{}
	for _, thing := range things {
		fields := map[string]string{}
		flatten(fields, "", thing.body)
		found[thing.String()] = fields
	}
	return found, nil
}

func flatten(into map[string]string, path string, value any) {
	switch value := value.(type) {
	case object:
		for key, inner := range value {
			if key == "checksum/config" {
				continue // it follows from what is compared anyway
			}
			flatten(into, strings.TrimPrefix(path+"."+key, "."), inner)
		}
	case []any:
		for number, inner := range value {
			key := fmt.Sprint(number)
			if name := word(inner, "name"); name != "" {
				key = name
			} else if name := word(inner, "topologyKey"); name != "" {
				key = name
			}
			if strings.HasSuffix(path, ".topologySpreadConstraints") {
				text, _ := json.Marshal(inner)
				into[path+"."+key] = string(text)
			} else {
				flatten(into, path+"."+key, inner)
			}
		}
	case string:
		if strings.HasSuffix(path, ".cfg") {
			for line := range strings.SplitSeq(value, "\n") {
				// By what it says, not by where it stands: a line that is gone must not make all others differ.
				into[path+"."+strings.TrimSpace(line)+" "] = "there"
			}
			return
		}
		into[path] = value
	default:
		into[path] = fmt.Sprint(value)
	}
}

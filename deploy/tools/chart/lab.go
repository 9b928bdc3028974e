package main

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// What the lab may change of production: image references, sizes, the gateway's network, spread, endpoints, how pods are found, where secrets come from.
// Each is a path in an object; an object's name alone means the object as a whole.
var labMay = []*regexp.Regexp{
	// Image references.
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.containers\.\w+\.image(PullPolicy)?$`),
	// Sizes.
	regexp.MustCompile(`^\S+ \S+ spec\.(replicas|minReplicas|maxReplicas)$`),
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.containers\.\w+\.resources\.`),
	regexp.MustCompile(`^HorizontalPodAutoscaler tradewind-worker$`),
	regexp.MustCompile(`^ConfigMap tradewind-gateway data\.haproxy\.cfg\.(maxconn|nbthread|server-template) `),
	// The gateway's network: the node's own, and nobody before it.
	regexp.MustCompile(`^Deployment tradewind-gateway spec\.template\.(metadata\.annotations\.checksum/config|spec\.hostNetwork|spec\.dnsPolicy)$`),
	regexp.MustCompile(`^Deployment tradewind-gateway spec\.template\.spec\.containers\.haproxy\.(\w+Probe\.httpGet\.host|ports\.)`),
	regexp.MustCompile(`^ConfigMap tradewind-gateway data\.haproxy\.cfg\.(bind|acl is_balanced|http-request set-var\(txn\.is_balanced\)|http-request set-src|http-request set-header x-forwarded-proto) `),
	regexp.MustCompile(`^Ingress tradewind$`),
	// Spread.
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.topologySpreadConstraints(\.|$)`),
	// Endpoints.
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.containers\.\w+\.env\.(DATABASE_DIRECT_URL_FILE|TRADEWIND__HTTP__PUBLIC_URL|TRADEWIND__HTTP__TRUSTED_PROXIES)\.`),
	regexp.MustCompile(`^NetworkPolicy \S+ spec\.egress\.`),
	regexp.MustCompile(`^Rollout \S+ spec\.strategy\.blueGreen\.(pre|post)PromotionAnalysis\.args\.prometheus\.`),
	// The data: a shop of the demo, whose pictures lie on the machine.
	regexp.MustCompile(`^\S+ \S+ spec\.template\.spec\.containers\.\w+\.env\.TRADEWIND__DEMO\.value$`),
	regexp.MustCompile(`^Rollout tradewind-storefront spec\.template\.spec\.(volumes|containers\.storefront\.volumeMounts)\.media\.`),
	// How pods are found for scraping, and where secrets come from.
	regexp.MustCompile(`^ServiceMonitor tradewind-operations$`),
	regexp.MustCompile(`^ExternalSecret tradewind-(api|pages|worker|migrate)$`),
}

// lab checks that what the lab renders differs from production only where it may.
func lab(production, of string) error {
	one, err := paths(production)
	if err != nil {
		return err
	}
	other, err := paths(of)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	compare := func(some, others map[string]map[string]string) {
		for name, fields := range some {
			theirs, there := others[name]
			if !there {
				if !may(name) {
					told[name+" is in one of them only"] = true
				}
				continue
			}
			for path, value := range fields {
				if theirs[path] != value && !may(name+" "+path) {
					told[fmt.Sprintf("%s %s: %q and %q", name, path, one[name][path], other[name][path])] = true
				}
			}
		}
	}
	compare(one, other)
	compare(other, one)
	if len(told) == 0 {
		return nil
	}
	lines := make([]string, 0, len(told))
	for line := range told {
		lines = append(lines, line)
	}
	sort.Strings(lines)
	return fmt.Errorf("the lab changes more of production than it may:\n  %s", strings.Join(lines, "\n  "))
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
			flatten(into, path+"."+key, inner)
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

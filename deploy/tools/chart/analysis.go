package main

import "time"

// analysis checks that what a release has to prove comes to an end, and that what is asked for is given.
func (f *findings) analysis(template thing) {
	for _, metric := range list(template.body, "spec", "metrics") {
		name := word(metric, "name")
		for _, limit := range []string{"failureLimit", "inconclusiveLimit", "consecutiveErrorLimit"} {
			if metric[limit] == nil {
				f.tell(template, "%s leaves its %s to others", name, limit)
			}
		}
		job, isJob := at(metric, "provider", "job").(object)
		if !isJob {
			if number(metric, "count") < 1 {
				f.tell(template, "%s never ends: it has no count", name)
			}
			continue
		}
		spec, _ := job["spec"].(object)
		if number(spec, "activeDeadlineSeconds") < 1 || at(spec, "backoffLimit") != 0 {
			f.tell(template, "%s must end by itself, and fail at the first time (activeDeadlineSeconds, backoffLimit 0)", name)
		}
		work := thing{"Job", template.name + "/" + name, object{"spec": spec}}
		f.workload(work)
		f.protection(work)
	}
}

// proofs checks the analyses of a Rollout: their templates are there, get what they ask for, and the old pods are kept for as long as they take.
func (f *findings) proofs(rollout thing) {
	strategy := at(rollout.body, "spec", "strategy", "blueGreen")
	for _, when := range []string{"prePromotionAnalysis", "postPromotionAnalysis"} {
		given := map[string]bool{}
		for _, argument := range list(strategy, when, "args") {
			given[word(argument, "name")] = true
		}
		for _, named := range list(strategy, when, "templates") {
			name, found := word(named, "templateName"), false
			for _, other := range f.things {
				if other.kind != "AnalysisTemplate" || other.name != name {
					continue
				}
				found = true
				for _, wanted := range list(other.body, "spec", "args") {
					if wanted["value"] == nil && !given[word(wanted, "name")] {
						f.tell(rollout, "does not give %s what it asks for: %s", name, word(wanted, "name"))
					}
				}
				if kept := time.Duration(number(strategy, "scaleDownDelaySeconds")) * time.Second; when == "postPromotionAnalysis" && lasts(other) >= kept {
					f.tell(rollout, "keeps the old pods for %s, and %s takes %s", kept, name, lasts(other))
				}
			}
			if !found {
				f.tell(rollout, "names the AnalysisTemplate %q, which is not there", name)
			}
		}
	}
}

// lasts is how long a template's questions take.
func lasts(template thing) time.Duration {
	var longest time.Duration
	for _, metric := range list(template.body, "spec", "metrics") {
		delay, _ := time.ParseDuration(word(metric, "initialDelay"))
		interval, _ := time.ParseDuration(word(metric, "interval"))
		longest = max(longest, delay+interval*time.Duration(number(metric, "count")-1))
	}
	return longest
}

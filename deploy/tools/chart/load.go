package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is a crowd that reads and writes without a pause and keeps its connections, until it is stopped.
type load struct {
	stop      chan struct{}
	crowd     sync.WaitGroup
	reads     atomic.Int64
	writes    atomic.Int64
	lock      sync.Mutex
	failures  []failure
	versions  map[string]int
	lastOf    map[string]time.Time
	firstOf   map[string]time.Time
	serial    atomic.Int64
	pauseWork time.Duration
}

type failure struct {
	method, words string
	at            time.Time
}

// begin sends a crowd at an address. Every second one writes; each write has a number of its own.
func begin(address string) *load { return send(address, http.MethodGet, http.MethodPost) }

func send(address string, methods ...string) *load {
	l := &load{stop: make(chan struct{}), versions: map[string]int{}, lastOf: map[string]time.Time{}, firstOf: map[string]time.Time{}, pauseWork: 4 * time.Millisecond}
	for number := range 8 {
		l.crowd.Add(1)
		go func() {
			defer l.crowd.Done()
			client := &http.Client{Transport: &http.Transport{}, Timeout: 15 * time.Second}
			method := methods[number%len(methods)]
			for {
				select {
				case <-l.stop:
					return
				case <-time.After(l.pauseWork):
					l.ask(client, method, address)
				}
			}
		}()
	}
	return l
}

func (l *load) ask(client *http.Client, method, address string) {
	request, err := http.NewRequest(method, address, nil)
	if err == nil {
		if method == http.MethodPost {
			// A body, and no key that would let a client repeat it by itself.
			request.Header.Set("x-order", fmt.Sprint(l.serial.Add(1)))
			l.writes.Add(1)
		} else {
			l.reads.Add(1)
		}
	}
	begun := time.Now()
	answer, err := client.Do(request)
	words, version := "", ""
	if err != nil {
		words = err.Error()
	} else {
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		version = answer.Header.Get("x-version")
		if err != nil || answer.StatusCode != http.StatusOK {
			words = fmt.Sprintf("%d %v", answer.StatusCode, err)
		}
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	if words != "" {
		l.failures = append(l.failures, failure{method, words, begun})
		return
	}
	l.versions[version]++
	l.lastOf[version] = begun
	if _, seen := l.firstOf[version]; !seen {
		l.firstOf[version] = time.Now()
	}
}

func (l *load) end() {
	close(l.stop)
	l.crowd.Wait()
}

func (l *load) requests() int64 { return l.reads.Load() + l.writes.Load() }

// flawless is an error if any request failed.
func (l *load) flawless() error {
	if l.requests() < 200 {
		return fmt.Errorf("only %d requests were sent, which proves nothing", l.requests())
	}
	if len(l.failures) > 0 {
		first := l.failures[0]
		return fmt.Errorf("%d of %d requests failed, first %s: %s", len(l.failures), l.requests(), first.method, first.words)
	}
	return nil
}

// twice is an error if a write was done by two pods, or twice by one.
func twice(pods []*pod) error {
	seen := map[string]int{}
	for _, pod := range pods {
		pod.lock.Lock()
		for order, times := range pod.done {
			seen[order] += times
		}
		pod.lock.Unlock()
	}
	for order, times := range seen {
		if times > 1 {
			return fmt.Errorf("the write %s was done %d times", order, times)
		}
	}
	return nil
}

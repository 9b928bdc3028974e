package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A pod stands for one of ours: a public port, an operations port, and a drain like the program's.
type pod struct {
	target, version string
	address         net.IP
	public          *http.Server
	operations      *http.Server
	ready           atomic.Bool
	served          atomic.Int64
	last            atomic.Int64
	lock            sync.Mutex
	done            map[string]int
}

func newPod(target, version string, number, port, operationsPort int) (*pod, error) {
	p := &pod{target: target, version: version, address: net.IPv4(127, 77, byte(number/250), byte(number%250+1)), done: map[string]int{}}
	p.ready.Store(true)
	p.public = &http.Server{Handler: http.HandlerFunc(p.answer)}
	p.operations = &http.Server{Handler: http.HandlerFunc(p.probe)}
	for server, port := range map[*http.Server]int{p.public: port, p.operations: operationsPort} {
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", p.address, port))
		if err != nil {
			return nil, err
		}
		go func() { _ = server.Serve(listener) }()
	}
	return p, nil
}

// answer tells who answers and what came; `?slow=` lets it take its time.
func (p *pod) answer(out http.ResponseWriter, request *http.Request) {
	_, _ = io.Copy(io.Discard, request.Body)
	p.served.Add(1)
	p.last.Store(time.Now().UnixNano())
	if order := request.Header.Get("x-order"); order != "" {
		p.lock.Lock()
		p.done[order]++
		p.lock.Unlock()
	}
	slow, _ := time.ParseDuration(request.URL.Query().Get("slow"))
	select {
	case <-time.After(slow):
	case <-request.Context().Done():
		return
	}
	out.Header().Set("x-target", p.target)
	out.Header().Set("x-version", p.version)
	out.Header().Set("x-pod", p.address.String())
	for _, name := range []string{"x-forwarded-for", "x-forwarded-proto", "x-internal-credential", "x-client-address", "x-fresher-than-ms", "x-forwarded-host"} {
		out.Header().Set("saw-"+name, request.Header.Get(name))
	}
	_, _ = fmt.Fprintln(out, "ok")
}

func (p *pod) probe(out http.ResponseWriter, request *http.Request) {
	if request.URL.Path != "/readyz" || !p.ready.Load() {
		out.WriteHeader(http.StatusServiceUnavailable)
	}
}

// drain stops as the program does: not ready, serving on for a while, then nothing new, then what is in flight ends.
func (p *pod) drain(delay time.Duration) {
	p.ready.Store(false)
	time.Sleep(delay)
	within, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = p.public.Shutdown(within)
	_ = p.operations.Close()
}

// kill ends it at once, with all its connections.
func (p *pod) kill() {
	_ = p.public.Close()
	_ = p.operations.Close()
}

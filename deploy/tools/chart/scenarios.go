package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// scenarios are what releases and accidents do to a gateway.
var scenarios = []struct {
	name  string
	play  func(*scene) error
	stage stage
}{
	{"routes", routes, stage{}},
	{"addresses", addresses, stage{}},
	{"switch", switchOver, stage{isBare: true}},
	{"drain", drain, stage{isBare: true}},
	{"kill", kill, stage{}},
	{"names-gone", namesGone, stage{}},
	{"one-missing", oneMissing, stage{without: "backoffice"}},
	{"nobody", nobody, stage{}},
	{"stop", stop, stage{}},
	{"program", theProgram, stage{isBare: true}},
}

func get(address string, headers map[string]string) (*http.Response, string, error) {
	return getFrom("", address, headers)
}

// getFrom asks from an address of this machine.
func getFrom(local, address string, headers map[string]string) (*http.Response, string, error) {
	dialer := &net.Dialer{}
	if local != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

// routes: each path reaches its target and no other.
func routes(s *scene) error {
	wanted := map[string]string{
		"/": "storefront", "/products/mug": "storefront", "/store": "storefront", "/store/v1x": "storefront", "/store/v2/products": "storefront", "/docsy": "storefront",
		"/backofficer": "storefront", "/metrics": "storefront", "/livez": "storefront", "/admin": "storefront", "/a/store/v1/": "storefront", "/STORE/v1/": "storefront",
		"/store/v1": "api", "/store/v1/carts": "api", "/admin/v1/orders?page=2": "api", "/webhooks/stripe": "api", "/docs": "api", "/docs/store.json": "api",
		"/backoffice": "backoffice", "/backoffice/orders": "backoffice", "/backoffice?x=/store/v1/": "backoffice",
	}
	for path, target := range wanted {
		answer, _, err := get(s.public(path), nil)
		if err != nil {
			return err
		}
		if found := answer.Header.Get("x-target"); found != target {
			return fmt.Errorf("%s reaches %q, not %s", path, found, target)
		}
	}
	inside := func(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.insidePort, path) }
	answer, _, err := get(inside("/store/v1/products"), nil)
	if err != nil || answer.Header.Get("x-target") != "api" {
		return fmt.Errorf("our own pages do not reach the API: %v", err)
	}
	answer, _, err = get(inside("/backoffice"), nil)
	if err != nil || answer.StatusCode != http.StatusNotFound {
		return fmt.Errorf("the inner port leads to more than the API: %v", err)
	}
	_, metrics, err := get(fmt.Sprintf("http://127.0.0.1:%d/metrics", s.operationsPort), nil)
	if err != nil || !strings.Contains(metrics, `haproxy_backend_http_responses_total{proxy="api",code="2xx"}`) {
		return fmt.Errorf("the metrics do not tell of the API's answers: %v", err)
	}
	s.figures = fmt.Sprintf("%d paths", len(wanted))
	return nil
}

// addresses: pods see the client's address and nothing that only our own pages may say.
func addresses(s *scene) error {
	claims := map[string]string{"x-forwarded-for": "198.51.100.1, 198.51.100.2, 198.51.100.3", "x-forwarded-proto": "https", "x-internal-credential": "guess", "x-client-address": "198.51.100.4", "x-fresher-than-ms": "1", "x-forwarded-host": "evil.example"}
	answer, _, err := get(s.public("/store/v1/products"), claims)
	if err != nil {
		return err
	}
	for name, wanted := range map[string]string{"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-internal-credential": "", "x-client-address": "", "x-fresher-than-ms": "", "x-forwarded-host": ""} {
		if saw := answer.Header.Get("saw-" + name); saw != wanted {
			return fmt.Errorf("a stranger's %s reaches pods as %q, not %q", name, saw, wanted)
		}
	}
	// 127.0.0.9 is the load balancer of the test's values, with a CDN before it: the second from the end is the client.
	answer, _, err = getFrom("127.0.0.9", s.public("/"), claims)
	if err != nil {
		return err
	}
	for name, wanted := range map[string]string{"x-forwarded-for": "198.51.100.2", "x-forwarded-proto": "https", "x-internal-credential": ""} {
		if saw := answer.Header.Get("saw-" + name); saw != wanted {
			return fmt.Errorf("the load balancer's %s reaches pods as %q, not %q", name, saw, wanted)
		}
	}
	// A balancer that says nothing: it is the client itself, a health check.
	answer, _, err = getFrom("127.0.0.9", s.public("/"), nil)
	if err != nil || answer.Header.Get("saw-x-forwarded-for") != "127.0.0.9" {
		return fmt.Errorf("without X-Forwarded-For the client is %v", err)
	}
	answer, _, err = get(fmt.Sprintf("http://127.0.0.1:%d/store/v1/products", s.insidePort), claims)
	if err != nil || answer.Header.Get("saw-x-internal-credential") != "guess" || answer.Header.Get("saw-x-client-address") != "198.51.100.4" {
		return fmt.Errorf("what our own pages say does not reach the API: %v", err)
	}
	return nil
}

// switchOver: the active Service leads to new pods, and back; nothing fails, what is in flight ends where it began.
func switchOver(s *scene) error {
	crowd := begin(s.public("/store/v1/products"))
	time.Sleep(700 * time.Millisecond)
	slow := make(chan error, 1)
	go func() {
		answer, _, err := get(s.public("/store/v1/products?slow=3s"), nil)
		if err == nil && (answer.StatusCode != http.StatusOK || answer.Header.Get("x-version") != "api-1") {
			err = fmt.Errorf("a request in flight ended with %d from %s", answer.StatusCode, answer.Header.Get("x-version"))
		}
		slow <- err
	}()
	time.Sleep(300 * time.Millisecond)
	switched := time.Now()
	if _, err := s.release("api", "api-2"); err != nil {
		return err
	}
	time.Sleep(4 * time.Second)
	back := time.Now()
	var old []net.IP
	for _, pod := range s.of("api-1") {
		old = append(old, pod.address)
	}
	crowd.lock.Lock()
	there := crowd.lastOf["api-1"].Sub(switched)
	crowd.lock.Unlock()
	s.names.set(s.nameOf("api"), old)
	time.Sleep(4 * time.Second)
	crowd.end()
	if err := <-slow; err != nil {
		return err
	}
	if err := crowd.flawless(); err != nil {
		return err
	}
	again := crowd.lastOf["api-2"].Sub(back)
	if crowd.versions["api-2"] < 50 || there > 3*time.Second || again > 3*time.Second {
		return fmt.Errorf("the switch took %v, the way back %v; %v", there, again, crowd.versions)
	}
	s.figures = fmt.Sprintf("%d requests, 0 failed; old pods' last %.1f s after the switch, new pods' %.1f s after the way back", crowd.requests(), there.Seconds(), again.Seconds())
	return twice(s.pods)
}

// drain: a pod stops as the program does, while its name still stands in the list.
func drain(s *scene) error {
	crowd := begin(s.public("/store/v1/products"))
	time.Sleep(500 * time.Millisecond)
	leaving := s.of("api-1")[0]
	// Four that take longer than the delay, so that some are in flight at the pod that leaves.
	slow, atLeaving := make(chan error, 4), atomic.Int64{}
	for range 4 {
		go func() {
			answer, _, err := get(s.public("/store/v1/products?slow=5s"), nil)
			if err == nil && answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("a request in flight ended with %d", answer.StatusCode)
			}
			if err == nil && answer.Header.Get("x-pod") == leaving.address.String() {
				atLeaving.Add(1)
			}
			slow <- err
		}()
	}
	time.Sleep(200 * time.Millisecond)
	told := time.Now()
	leaving.drain(4 * time.Second)
	time.Sleep(500 * time.Millisecond)
	crowd.end()
	for range 4 {
		if err := <-slow; err != nil {
			return err
		}
	}
	if atLeaving.Load() == 0 {
		return fmt.Errorf("no request was in flight at the pod that left, which proves nothing")
	}
	last := time.Unix(0, leaving.last.Load()).Sub(told)
	if err := crowd.flawless(); err != nil {
		return err
	}
	if last > 3*time.Second {
		return fmt.Errorf("the leaving pod got requests for %v", last)
	}
	s.figures = fmt.Sprintf("%d requests, 0 failed; the leaving pod's last after %.1f s", crowd.requests(), last.Seconds())
	return twice(s.pods)
}

// kill: a pod is gone at once. Reads are answered by another; writes that it had taken are lost, and never done twice.
func kill(s *scene) error {
	crowd := begin(s.public("/store/v1/products?slow=100ms"))
	time.Sleep(700 * time.Millisecond)
	killed := time.Now()
	s.of("api-1")[0].kill()
	time.Sleep(4 * time.Second)
	crowd.end()
	if err := twice(s.pods); err != nil {
		return err
	}
	for _, failure := range crowd.failures {
		if failure.method == http.MethodGet {
			return fmt.Errorf("a read failed: %s", failure.words)
		}
		if failure.at.After(killed.Add(50 * time.Millisecond)) {
			return fmt.Errorf("a write failed that began %v after the pod was gone: %s", failure.at.Sub(killed), failure.words)
		}
	}
	if crowd.requests() < 200 {
		return fmt.Errorf("only %d requests were sent, which proves nothing", crowd.requests())
	}
	if len(crowd.failures) == 0 {
		return fmt.Errorf("no write was in flight at the pod that was killed, which proves nothing")
	}
	s.figures = fmt.Sprintf("%d requests, 0 reads failed, %d writes cut short, none done twice", crowd.requests(), len(crowd.failures))
	return nil
}

// namesGone: without a name server, everything stays as it was.
func namesGone(s *scene) error {
	s.names.stop()
	time.Sleep(time.Second)
	crowd := begin(s.public("/"))
	time.Sleep(4 * time.Second)
	crowd.end()
	s.figures = fmt.Sprintf("%d requests, 0 failed", crowd.requests())
	return crowd.flawless()
}

// oneMissing: a part that is down when the gateway starts holds up no other.
func oneMissing(s *scene) error {
	if err := within(8*time.Second, func() error { return s.expectOperations("/startedz", 200) }); err != nil {
		return err
	}
	for path, status := range map[string]int{"/": 200, "/store/v1/products": 200, "/backoffice": 503} {
		answer, _, err := get(s.public(path), nil)
		if err != nil {
			return err
		}
		if answer.StatusCode != status {
			return fmt.Errorf("%s answers %d, not %d", path, answer.StatusCode, status)
		}
	}
	return nil
}

// nobody: when all pods of a target are gone, clients are told in the form they read, and others go on.
func nobody(s *scene) error {
	for _, version := range []string{"api-1", "storefront-1"} {
		for _, pod := range s.of(version) {
			pod.kill()
		}
	}
	expect := func(path, kind, words string) error {
		answer, text, err := get(s.public(path), nil)
		if err != nil {
			return err
		}
		if answer.StatusCode != 503 || !strings.HasPrefix(answer.Header.Get("content-type"), kind) || answer.Header.Get("retry-after") == "" || !strings.Contains(text, words) {
			return fmt.Errorf("%s: %d %s %s", path, answer.StatusCode, answer.Header.Get("content-type"), text)
		}
		return nil
	}
	if err := within(5*time.Second, func() error { return expect("/store/v1/products", "application/problem+json", `"code":"gateway_503"`) }); err != nil {
		return err
	}
	if err := within(5*time.Second, func() error { return expect("/", "text/html", "<h1>Nobody can answer just now</h1>") }); err != nil {
		return err
	}
	if err := s.expectOperations("/livez", 200); err != nil {
		return err
	}
	answer, _, err := get(s.public("/backoffice"), nil)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the back office went with them: %v", err)
	}
	return nil
}

// stop: told to stop, the gateway ends what is in flight and then itself.
func stop(s *scene) error {
	slow := make(chan error, 1)
	go func() {
		answer, _, err := get(s.public("/store/v1/products?slow=2s"), nil)
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("a request in flight ended with %d", answer.StatusCode)
		}
		slow <- err
	}()
	time.Sleep(500 * time.Millisecond)
	if err := s.haproxy.Process.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	if err := <-slow; err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		return err
	case <-time.After(8 * time.Second):
		return fmt.Errorf("it did not end")
	}
}

// theProgram: pods of the program itself, told what the chart tells them, stop as a cluster stops them, and nobody notices.
func theProgram(s *scene) error {
	var storefront thing
	for _, thing := range s.things {
		if thing.pod() != nil && strings.HasSuffix(thing.name, "-storefront") {
			storefront = thing
		}
	}
	container := list(storefront.pod(), "containers")[0]
	var addresses []net.IP
	ends := make(chan error, 2)
	for number := range 2 {
		address := net.IPv4(127, 77, 200, byte(number+1))
		folder, err := os.MkdirTemp(s.folder, "pod-")
		if err != nil {
			return err
		}
		process, err := launch(s.program, container, folder, fmt.Sprintf("%s:%d", address, s.podPort), fmt.Sprintf("%s:%d", address, s.podOperationsPort))
		if err != nil {
			return err
		}
		process.Stdout, process.Stderr = s.said, s.said
		if err := process.Start(); err != nil {
			return err
		}
		s.processes, addresses = append(s.processes, process), append(addresses, address)
		if number == 0 {
			go func() { ends <- process.Wait() }()
		}
	}
	readiness := func(number, wanted int) error {
		answer, _, err := get(fmt.Sprintf("http://%s:%d/readyz", addresses[number], s.podOperationsPort), nil)
		if err == nil && answer.StatusCode != wanted {
			err = fmt.Errorf("readiness is %d, not %d", answer.StatusCode, wanted)
		}
		return err
	}
	for number := range 2 {
		if err := within(10*time.Second, func() error { return readiness(number, http.StatusOK) }); err != nil {
			return err
		}
	}
	s.names.set(s.nameOf("storefront"), addresses)
	if err := within(5*time.Second, func() error {
		answer, text, err := get(s.public("/robots.txt"), nil)
		if err == nil && (answer.Header.Get("x-target") != "" || !strings.Contains(text, "User-agent")) {
			err = fmt.Errorf("the program does not answer: %d %s", answer.StatusCode, text)
		}
		return err
	}); err != nil {
		return err
	}
	crowd := send(s.public("/robots.txt"), http.MethodGet)
	time.Sleep(500 * time.Millisecond)
	told := time.Now()
	if err := s.processes[0].Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := within(time.Second, func() error { return readiness(0, http.StatusServiceUnavailable) }); err != nil {
		return fmt.Errorf("a pod that was told to stop goes on calling itself ready: %w", err)
	}
	grace := time.Duration(number(storefront.pod(), "terminationGracePeriodSeconds")) * time.Second
	var took time.Duration
	select {
	case err := <-ends:
		took = time.Since(told)
		if err != nil {
			return fmt.Errorf("the program ended with %w", err)
		}
	case <-time.After(grace):
		return fmt.Errorf("the program did not end in its grace period of %v", grace)
	}
	time.Sleep(500 * time.Millisecond)
	crowd.end()
	if err := crowd.flawless(); err != nil {
		return err
	}
	s.figures = fmt.Sprintf("%d requests, 0 failed; the program ended %.1f s after it was told, of %.0f s", crowd.requests(), took.Seconds(), grace.Seconds())
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// gateway runs the real HAProxy with the rendered configuration on this machine's own addresses: a name server of ours stands for the cluster's,
// small servers on 127.77.0.0/16 stand for pods. Then it does to them what releases and accidents do, under load.
func gateway(path, program string, only ...string) error {
	things, err := read(path)
	if err != nil {
		return err
	}
	var config string
	for _, thing := range things {
		if thing.kind == "ConfigMap" && strings.HasSuffix(thing.name, "-gateway") {
			config = word(thing.body, "data", "haproxy.cfg")
		}
	}
	if config == "" {
		return fmt.Errorf("%s: there is no gateway", path)
	}
	wanted := func(name string) bool {
		for _, one := range only {
			if one == name {
				return true
			}
		}
		return len(only) == 0
	}
	// Two at a time: each has a gateway and pods of its own, and most of them wait most of the time.
	places, failed := make(chan struct{}, 2), make(chan error, len(scenarios))
	played := 0
	for _, scenario := range scenarios {
		if !wanted(scenario.name) {
			continue
		}
		played++
		go func() {
			places <- struct{}{}
			defer func() { <-places }()
			begun := time.Now()
			scene, err := open(config, scenario.stage)
			scene.things, scene.program = things, program
			if err == nil {
				err = scenario.play(scene)
			}
			scene.close()
			if err != nil {
				failed <- fmt.Errorf("gateway: %s: %w\nHAProxy said:\n%s", scenario.name, err, scene.said)
				return
			}
			fmt.Printf("    %-12s %4.1f s  %s\n", scenario.name, time.Since(begun).Seconds(), scene.figures)
			failed <- nil
		}()
	}
	if played == 0 {
		return fmt.Errorf("there is no scenario %s", strings.Join(only, ", "))
	}
	var all []error
	for range played {
		all = append(all, <-failed)
	}
	return errors.Join(all...)
}

// A scene is a gateway with two pods of each target behind it.
type scene struct {
	things                     []thing
	program                    string
	processes                  []*exec.Cmd
	folder                     string
	haproxy                    *exec.Cmd
	ended                      chan error
	said                       *locked
	names                      *names
	pods                       []*pod
	publicPort, insidePort     int
	operationsPort             int
	podPort, podOperationsPort int
	figures                    string
}

// A stage is what is other than usual when a scenario begins.
type stage struct {
	// No second tries, so that a drain is seen to need none.
	isBare bool
	// A target that has no pods, and less patience with it.
	without string
}

const domain = "svc.cluster.local"

func open(config string, stage stage) (*scene, error) {
	s := &scene{said: &locked{}, ended: make(chan error, 1)}
	var err error
	if s.folder, err = os.MkdirTemp("", "tradewind-gateway-"); err != nil {
		return s, err
	}
	if s.names, err = serveNames(); err != nil {
		return s, err
	}
	ports, err := freePorts(5)
	if err != nil {
		return s, err
	}
	s.publicPort, s.insidePort, s.operationsPort, s.podPort, s.podOperationsPort = ports[0], ports[1], ports[2], ports[3], ports[4]
	type change struct {
		pattern, by string
		times       int
	}
	changes := []change{
		{`(?m)^    parse-resolv-conf$`, fmt.Sprintf("    nameserver test %s", s.names.address()), 1},
		{`(?ms)^(frontend public\n    bind )\S+$`, fmt.Sprintf("${1}127.0.0.1:%d", s.publicPort), 1},
		{`(?ms)^(frontend inside\n    bind )\S+$`, fmt.Sprintf("${1}127.0.0.1:%d", s.insidePort), 1},
		{`(?ms)^(frontend operations\n    bind )\S+$`, fmt.Sprintf("${1}127.0.0.1:%d", s.operationsPort), 1},
		{`(?m)^(    server-template .*):8080$`, fmt.Sprintf("${1}:%d", s.podPort), 3},
		{`(?m)^(    default-server port )8081 `, fmt.Sprintf("${1}%d ", s.podOperationsPort), 1},
	}
	if stage.isBare {
		changes = append(changes, change{`(?m)^    retry-on .*$`, "    retry-on none", 1})
	}
	if stage.without != "" {
		changes = append(changes, change{`\(proc\.begun\) ge 30 `, "(proc.begun) ge 4 ", 1})
	}
	for _, change := range changes {
		pattern := regexp.MustCompile(change.pattern)
		if found := len(pattern.FindAllString(config, -1)); found != change.times {
			return s, fmt.Errorf("the configuration has %d times %s, not %d", found, change.pattern, change.times)
		}
		config = pattern.ReplaceAllString(config, change.by)
	}
	file := filepath.Join(s.folder, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return s, err
	}
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program = "/usr/sbin/haproxy"
	}
	s.haproxy = exec.Command(program, "-db", "-f", file)
	s.haproxy.Stdout, s.haproxy.Stderr = s.said, s.said
	// Whatever becomes of us, it does not stay.
	s.haproxy.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.haproxy.Start(); err != nil {
		return s, err
	}
	go func() { s.ended <- s.haproxy.Wait() }()
	if err := within(5*time.Second, func() error { return s.expectOperations("/livez", 200) }); err != nil {
		return s, err
	}
	// Nobody is there yet: it must not say that it has started.
	if err := s.expectOperations("/startedz", 503); err != nil {
		return s, err
	}
	for _, target := range []string{"api", "storefront", "backoffice"} {
		if target == stage.without {
			continue
		}
		if _, err := s.release(target, target+"-1"); err != nil {
			return s, err
		}
	}
	if stage.without != "" {
		return s, nil
	}
	return s, within(10*time.Second, func() error { return s.expectOperations("/startedz", 200) })
}

func (s *scene) close() {
	if s.haproxy != nil && s.haproxy.Process != nil {
		_ = s.haproxy.Process.Kill()
	}
	for _, pod := range s.pods {
		pod.kill()
	}
	for _, process := range s.processes {
		_ = process.Process.Kill()
	}
	if s.names != nil {
		s.names.stop()
	}
	_ = os.RemoveAll(s.folder)
}

// release makes two pods of a version and lets the name of the active Service lead to them alone.
func (s *scene) release(target, version string) ([]*pod, error) {
	var fresh []*pod
	var addresses []net.IP
	for range 2 {
		pod, err := newPod(target, version, len(s.pods)+1, s.podPort, s.podOperationsPort)
		if err != nil {
			return nil, err
		}
		s.pods, fresh, addresses = append(s.pods, pod), append(fresh, pod), append(addresses, pod.address)
	}
	s.names.set(s.nameOf(target), addresses)
	return fresh, nil
}

func (s *scene) nameOf(target string) string {
	return "tradewind-" + target + "-active.shop." + domain
}

func (s *scene) of(version string) []*pod {
	var found []*pod
	for _, pod := range s.pods {
		if pod.version == version {
			found = append(found, pod)
		}
	}
	return found
}

func (s *scene) public(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", s.publicPort, path)
}

func (s *scene) expectOperations(path string, status int) error {
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", s.operationsPort, path))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != status {
		return fmt.Errorf("%s answers %d, not %d: %s", path, answer.StatusCode, status, text)
	}
	return nil
}

func within(patience time.Duration, try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "0.0.0.0:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"
)

// settings starts the program as every container of ours would, with files in the place of secrets, and waits for it to say that its settings are
// good: pages become ready, who needs the database says that it cannot be reached, and nothing else may come first.
func settings(path, program, schema string) error {
	if err := compare(program, schema); err != nil {
		return err
	}
	things, err := read(path)
	if err != nil {
		return err
	}
	checked := 0
	for _, thing := range things {
		for _, container := range list(thing.pod(), "containers") {
			// Trials have no settings of the program, and would call a shop.
			if words := arguments(container); len(words) == 0 || words[0] == "smoke" {
				continue
			}
			if err := start(program, container); err != nil {
				return fmt.Errorf("%s: %w", thing, err)
			}
			checked++
		}
	}
	if checked == 0 {
		return fmt.Errorf("%s: nothing runs the program", path)
	}
	return nil
}

// Nothing listens there: a port that is reserved.
const nowhere = "postgres://tradewind:secret@127.0.0.1:9/tradewind"

func start(program string, container object) error {
	folder, err := os.MkdirTemp("", "tradewind-chart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	// On this machine alone, wherever there is room.
	command, err := launch(program, container, folder, "127.0.0.1:0", "127.0.0.1:0")
	if err != nil {
		return err
	}
	output := &locked{}
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer command.Process.Signal(syscall.SIGKILL)
	deadline := time.After(20 * time.Second)
	for {
		text := output.String()
		if strings.Contains(text, "the database cannot be reached yet") || strings.Contains(text, " is ready (") {
			return nil
		}
		select {
		case <-ended:
			// The migrate job does not wait for a database: it fails, and is tried again.
			if strings.Contains(output.String(), "Connection refused") && !strings.Contains(output.String(), "problem(s)") {
				return nil
			}
			return fmt.Errorf("the program ended with:\n%s", output)
		case <-deadline:
			return fmt.Errorf("the program neither became ready nor asked for its database:\n%s", output)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// launch prepares the program as a container would start it, in a folder of its own with files in the place of secrets.
func launch(program string, container object, folder, public, operations string) (*exec.Cmd, error) {
	command := exec.Command(program, arguments(container)...)
	command.Dir = folder
	for name, value := range variables(container) {
		file, is := strings.CutPrefix(value, "/run/secrets/tradewind/")
		switch {
		case is:
			value = filepath.Join(folder, file)
			content := nowhere
			if strings.HasPrefix(file, "redis") {
				content = "redis://127.0.0.1:9"
			}
			if err := os.WriteFile(value, []byte(content), 0o600); err != nil {
				return nil, err
			}
		case name == "TRADEWIND__DATA_DIR":
			value = folder
		case name == "TRADEWIND__HTTP__PUBLIC_ADDRESS":
			value = public
		case name == "TRADEWIND__HTTP__OPERATIONS_ADDRESS":
			value = operations
		}
		command.Env = append(command.Env, name+"="+value)
	}
	// Whatever becomes of us, it does not stay.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command, nil
}

// What the chart itself says, or what nobody says in a cluster.
var ours = map[string]bool{
	"data_dir": true, "demo": true, "http.public_address": true, "http.operations_address": true, "http.public_url": true, "http.trusted_proxies": true,
	"http.drain_delay_ms": true, "http.drain_timeout_ms": true, "database.url": true, "database.read_url": true, "database.direct_url": true,
	"database.local_bin": true, "web.api_url": true, "web.internal_credential": true, "web.maintenance_file": true, "redis.url": true,
}

// compare checks that the schema of the values offers all settings of the program, and no others.
func compare(program, schema string) error {
	text, err := os.ReadFile(schema)
	if err != nil {
		return err
	}
	var document object
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	offered := map[string]bool{}
	sections, _ := at(document, "$defs", "settings", "properties").(object)
	for section := range sections {
		keys, _ := at(sections, section, "properties").(object)
		for key := range keys {
			offered[section+"."+key] = true
		}
	}
	folder, err := os.MkdirTemp("", "tradewind-chart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command := exec.Command(program, "config")
	command.Dir, command.Env = folder, []string{}
	told, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s config: %w\n%s", program, err, told)
	}
	var wrong []string
	section, known := "", map[string]bool{}
	for _, line := range strings.Split(string(told), "\n") {
		if name, is := strings.CutPrefix(line, "["); is {
			section = strings.TrimSuffix(name, "]") + "."
		} else if match := setting.FindStringSubmatch(line); match != nil {
			known[section+match[1]] = true
		}
	}
	if len(known) < 20 {
		return fmt.Errorf("%s config tells only %d settings:\n%s", program, len(known), told)
	}
	for key := range known {
		if !offered[key] && !ours[key] {
			wrong = append(wrong, key+" is a setting of the program and not in values.schema.json")
		}
	}
	for key := range offered {
		if !known[key] || ours[key] {
			wrong = append(wrong, key+" is in values.schema.json and no setting of the program that the chart leaves open")
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

var setting = regexp.MustCompile(`^(?:# )?([a-z_]+) (?:=|is not set)`)

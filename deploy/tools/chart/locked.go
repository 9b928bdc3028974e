package main

import (
	"bytes"
	"sync"
)

// locked is a buffer that one side writes while another reads.
type locked struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(text []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(text)
}

func (l *locked) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

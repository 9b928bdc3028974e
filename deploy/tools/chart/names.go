package main

import (
	"encoding/binary"
	"net"
	"strings"
	"sync"
)

// names stands for the cluster's name server: it knows addresses of names, and answers nothing else.
type names struct {
	socket net.PacketConn
	lock   sync.Mutex
	known  map[string][]net.IP
}

func serveNames() (*names, error) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &names{socket: socket, known: map[string][]net.IP{}}
	go n.serve()
	return n, nil
}

func (n *names) address() string { return n.socket.LocalAddr().String() }

func (n *names) stop() { _ = n.socket.Close() }

func (n *names) set(name string, addresses []net.IP) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.known[name] = addresses
}

func (n *names) serve() {
	question := make([]byte, 4096)
	for {
		length, from, err := n.socket.ReadFrom(question)
		if err != nil {
			return
		}
		if answer := n.answer(question[:length]); answer != nil {
			_, _ = n.socket.WriteTo(answer, from)
		}
	}
}

// answer is a message of RFC 1035: the header, the question again, and one record of type A per address.
func (n *names) answer(message []byte) []byte {
	var labels []string
	place := 12
	for place < len(message) && message[place] != 0 {
		end := place + 1 + int(message[place])
		if end >= len(message) {
			return nil
		}
		labels = append(labels, string(message[place+1:end]))
		place = end
	}
	if place+5 > len(message) {
		return nil
	}
	kind := binary.BigEndian.Uint16(message[place+1:])
	n.lock.Lock()
	addresses, known := n.known[strings.ToLower(strings.Join(labels, "."))]
	n.lock.Unlock()
	status := uint16(0)
	if !known {
		status = 3
	}
	if kind != 1 {
		addresses = nil
	}
	answer := append([]byte{}, message[:2]...)
	for _, field := range []uint16{0x8580 | status, 1, uint16(len(addresses)), 0, 0} {
		answer = binary.BigEndian.AppendUint16(answer, field)
	}
	answer = append(answer, message[12:place+5]...)
	for _, address := range addresses {
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
		answer = append(answer, address.To4()...)
	}
	return answer
}

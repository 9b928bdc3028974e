// Holds a pod's namespaces open until it is told to stop: the lab's stand-in for the image that container runtimes fetch for this.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
}

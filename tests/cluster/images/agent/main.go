// SPDX-License-Identifier: GPL-2.0-only

// What runs in the pods of a test, and what keeps their namespaces ("pause"):
//
//	agent pause       waits to be told to go, and takes in orphans
//	agent serve       a web server on port 8080, an echo on port 8200
//	agent probe URL   succeeds when URL answers 200
//
// The web server tells its name, and does what a client in its pod would do:
//
//	/                 "NAME VERSION" (of the host name and $VERSION)
//	/ready /live      200, or 503 after /fail?what=ready (until /mend?what=ready)
//	/probes           how often /ready was asked
//	/ask?url=U&n=N&seconds=S  N requests of U, each on its own connection, for which an
//	                  answer may take S: {"answers", "errors"}
//	/lookup?name=H    the addresses of H, by the pod's resolv.conf: {"answers", "errors"}
//	/stream?url=U     asks U again and again until /stream?stop=1: {"answers", "errors"}
//	/hold?addr=A      opens a connection to the echo at A; without addr: does it still echo?
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const patience = 60 * time.Second

// Result counts the answers, each by its text, and lists what went wrong.
type Result struct {
	Answers map[string]int `json:"answers"`
	Errors  []string       `json:"errors"`
}

// Asks url once, on a connection of its own.
func fetch(url string, limit time.Duration) (string, error) {
	client := http.Client{Timeout: limit,
		Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, answer.Status)
	}
	return string(body), err
}

func (r *Result) add(answer string, err error) {
	if err != nil {
		r.Errors = append(r.Errors, err.Error())
	} else {
		r.Answers[answer]++
	}
}

func newResult() *Result {
	return &Result{Answers: map[string]int{}, Errors: []string{}}
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// Agent is the state of one pod's server.
type Agent struct {
	lock   sync.Mutex
	failed map[string]bool
	asked  map[string]int
	held   net.Conn
	stop   chan struct{}
	done   chan *Result
}

func (a *Agent) health(what string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		a.lock.Lock()
		defer a.lock.Unlock()
		a.asked[what]++
		if a.failed[what] {
			http.Error(w, "told to fail", http.StatusServiceUnavailable)
		}
	}
}

func (a *Agent) setFailed(failed bool) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		a.lock.Lock()
		defer a.lock.Unlock()
		a.failed[r.FormValue("what")] = failed
	}
}

func (a *Agent) probes(w http.ResponseWriter, _ *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	fmt.Fprint(w, a.asked["ready"])
}

func ask(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	limit := patience
	if seconds, err := strconv.Atoi(r.FormValue("seconds")); err == nil {
		limit = time.Duration(seconds) * time.Second
	}
	result := newResult()
	for range max(n, 1) {
		result.add(fetch(r.FormValue("url"), limit))
	}
	reply(w, result)
}

func lookup(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, r.FormValue("name"))
	result := newResult()
	for _, address := range addresses {
		result.add(address, nil)
	}
	if err != nil {
		result.add("", err)
	}
	reply(w, result)
}

func (a *Agent) streams(w http.ResponseWriter, r *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if url := r.FormValue("url"); url != "" && a.stop == nil {
		a.stop, a.done = make(chan struct{}), make(chan *Result, 1)
		go run(url, a.stop, a.done)
	} else if r.FormValue("stop") != "" && a.stop != nil {
		close(a.stop)
		reply(w, <-a.done)
		a.stop = nil
	} else {
		http.Error(w, "a stream runs, or none to stop", http.StatusConflict)
	}
}

func run(url string, stop chan struct{}, done chan *Result) {
	result := newResult()
	for {
		select {
		case <-stop:
			done <- result
			return
		default:
			result.add(fetch(url, patience))
			// A stream, not a flood: the pods share two emulated CPUs.
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func (a *Agent) hold(w http.ResponseWriter, r *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	var err error
	if addr := r.FormValue("addr"); addr != "" {
		a.held, err = net.DialTimeout("tcp", addr, patience)
	} else if a.held == nil {
		err = fmt.Errorf("no connection is held")
	}
	if err == nil {
		a.held.SetDeadline(time.Now().Add(patience))
		if _, err = a.held.Write([]byte("x")); err == nil {
			_, err = io.ReadFull(a.held, make([]byte, 1))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func echo() {
	server, err := net.Listen("tcp", ":8200")
	check(err)
	for {
		conn, err := server.Accept()
		check(err)
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		os.Exit(1)
	}
}

func terminated() chan os.Signal {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	return told
}

func serve() {
	agent := Agent{failed: map[string]bool{}, asked: map[string]int{}}
	name, err := os.Hostname()
	check(err)
	http.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, name, " ", os.Getenv("VERSION"))
	})
	http.HandleFunc("/ready", agent.health("ready"))
	http.HandleFunc("/live", agent.health("live"))
	http.HandleFunc("/fail", agent.setFailed(true))
	http.HandleFunc("/mend", agent.setFailed(false))
	http.HandleFunc("/probes", agent.probes)
	http.HandleFunc("/ask", ask)
	http.HandleFunc("/lookup", lookup)
	http.HandleFunc("/stream", agent.streams)
	http.HandleFunc("/hold", agent.hold)
	server := http.Server{Addr: ":8080"}
	go echo()
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			check(err)
		}
	}()
	<-terminated()
	// What was accepted is answered.
	check(server.Shutdown(context.Background()))
}

func pause() {
	told, orphan := terminated(), make(chan os.Signal, 1)
	signal.Notify(orphan, syscall.SIGCHLD)
	for {
		select {
		case <-told:
			return
		case <-orphan:
			for pid := 1; pid > 0; {
				pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			}
		}
	}
}

func main() {
	command := append(os.Args[1:], "", "")
	switch command[0] {
	case "pause":
		pause()
	case "serve":
		serve()
	case "probe":
		_, err := fetch(command[1], patience)
		check(err)
	default:
		fmt.Fprintln(os.Stderr, "usage: agent pause | serve | probe URL")
		os.Exit(2)
	}
}

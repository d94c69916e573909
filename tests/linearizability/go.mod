// Concurrent histories of a running server, checked against a sequential model.
module stator/linearizability

go 1.24

require github.com/anishathalye/porcupine v1.3.1

// Python's lock, let go while kernels run.
#pragma once

#include <Python.h>
#include <unistd.h>

namespace elman::bindings {

// Lets go of the interpreter's lock for as long as it lives.
//
// When the interpreter ends while a daemon thread is inside a call, Python before 3.14 ends that
// thread where it asks for the lock, by unwinding its stack; C++ that is not prepared then ends the
// process with an abort. Here the thread waits for the end instead, as from Python 3.14 on.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) pause();
    }
  }

 private:
  PyThreadState* const state_;
};

}  // namespace elman::bindings

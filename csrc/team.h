// A persistent team of threads, and the point where its members meet once a time step.
//
// A kernel divides its work between the members once, then every member walks through all time
// steps and waits for the others at each. That asks for members that all really run at the same
// time, so the work is divided after a claim has said how many there are:
//
//   const TeamClaim claim(wanted);       // wanted: torch.get_num_threads() or fewer
//   Barrier step(claim.members());       // divide the work by claim.members()
//   claim.run(body, &context);           // body(context, member), each on a thread of its own
//
// The workers are made when first needed and kept; a member keeps its thread from call to call, and
// with it what lies in that core's cache. Whoever waits, a worker for work or a member for the
// others, spins briefly, then offers its core to others (yields), then sleeps: no idle core is
// burnt. Two members that find themselves on one core do not spin at all, since each would keep the
// other from what it waits for.
//
// Everything here is declared and defined apart: kernels that include this file are compiled for
// several instruction sets, and must not carry their own copies of shared functions.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace elman {

// Apple's cache lines; also what Intel's prefetcher fetches in pairs of 64.
inline constexpr int kCacheLine = 128;

// A counter that one thread moves on and others wait for.
class Turn {
 public:
  Turn();
  // Waits until the counter is no longer `seen`; what was written before `advance` can then be
  // read. `crowded`: who moves the counter is on this core. Sleeps after the time `awake`.
  void await(uint32_t seen, bool crowded, std::chrono::microseconds awake);
  void advance();
  uint32_t now() const;  // for a thread that already knows the counter cannot move under it

 private:
  std::atomic<uint32_t> count_;
  std::atomic<uint32_t> sleepers_;  // who must be woken by a system call
};

// A meeting point of `members` threads, used as often as they like: `wait` returns when all have
// called it. What each wrote before it can be read by all after it. With one member it is free.
class alignas(kCacheLine) Barrier {
 public:
  explicit Barrier(int members);
  void wait();

 private:
  const int members_;
  std::atomic<int> arrived_;
  std::atomic<uint64_t> cores_;  // of this round's arrivals, one bit each
  std::atomic<bool> crowded_;    // in the last round two members shared a core
  Turn round_;
};

struct Team;

// The team, for as long as the claim lives. The team belongs to one claim at a time: a thread that
// finds it taken does not wait but works alone, and so does one whose process may make no threads.
class TeamClaim {
 public:
  explicit TeamClaim(int wanted);
  ~TeamClaim();
  TeamClaim(const TeamClaim&) = delete;
  TeamClaim& operator=(const TeamClaim&) = delete;

  // How many will run: 1 … wanted.
  int members() const;

  // Runs body(context, member) for member = 0 … members() − 1 at the same time, member 0 on this
  // thread, and returns when all have returned. Members compute in the caller's floating-point
  // mode (rounding, flushing of denormals), so that the bits do not depend on who computes them.
  // `body` must not throw.
  void run(void (*body)(void* context, int member), void* context) const;

 private:
  Team* team_;  // null: alone
  int members_;
};

}  // namespace elman

// Tests of the team of threads, as a program of its own so that the sanitizers can watch it:
//
//   g++ -std=c++20 -O1 -g -pthread -fsanitize=thread -Icsrc csrc/team.cpp csrc/tests/team_test.cpp
//
// It prints "ok" and ends with 0, or says what is wrong and ends with 1. `--time` prints instead
// what starting a run and meeting in a barrier cost on this machine; run it beside
// `taskset -c 1 yes >/dev/null` to see what a foreign process on one core does.
#include "team.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if defined(__has_feature)  // Clang's way to tell
#define ELMAN_HAS_FEATURE(name) __has_feature(name)
#else
#define ELMAN_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || ELMAN_HAS_FEATURE(thread_sanitizer)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__) || ELMAN_HAS_FEATURE(address_sanitizer)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

namespace {

using elman::Barrier;
using elman::TeamClaim;

void expect(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "team_test: not true that %s\n", claim);
  std::_Exit(1);
}

// A ring of numbers: in each round every member adds its neighbour's number to its own. The
// numbers are plain memory: nothing but the barrier orders who writes and who reads them.
struct Ring {
  explicit Ring(int members, int rounds)
      : rounds(rounds), barrier(members), now(members), next(members) {
    for (int i = 0; i < members; ++i) now[i] = i + 1;
  }

  static void body(void* context, int member) {
    Ring& ring = *static_cast<Ring*>(context);
    const size_t neighbour = (member + 1) % ring.now.size();
    for (int round = 0; round < ring.rounds; ++round) {
      auto& from = round % 2 ? ring.next : ring.now;
      auto& to = round % 2 ? ring.now : ring.next;
      to[member] = from[member] + from[neighbour];
      ring.barrier.wait();
    }
  }

  const int rounds;
  Barrier barrier;
  std::vector<uint32_t> now, next;
};

// Whether a team and a loop over the members on one thread come to the same ring.
bool ring_is_right(const TeamClaim& claim, int rounds) {
  Ring ring(claim.members(), 2 * rounds);
  std::vector<uint32_t> expected = ring.now;
  claim.run(Ring::body, &ring);
  for (int round = 0; round < 2 * rounds; ++round) {
    const std::vector<uint32_t> before = expected;
    for (size_t i = 0; i < before.size(); ++i) expected[i] += before[(i + 1) % before.size()];
  }
  return ring.now == expected;
}

void every_member_runs_once_on_a_thread_of_its_own() {
  struct Roll {
    std::vector<std::thread::id> threads;
    std::vector<int> runs;
  } roll{std::vector<std::thread::id>(5), std::vector<int>(5)};
  const TeamClaim claim(5);
  expect(claim.members() == 5, "a claim gets the members it asks for");
  claim.run(
      [](void* context, int member) {
        Roll& r = *static_cast<Roll*>(context);
        r.threads[member] = std::this_thread::get_id();
        ++r.runs[member];
      },
      &roll);
  expect(roll.runs == std::vector<int>(5, 1), "every member runs once");
  expect(roll.threads[0] == std::this_thread::get_id(), "member 0 is the caller");
  std::sort(roll.threads.begin(), roll.threads.end());
  expect(std::adjacent_find(roll.threads.begin(), roll.threads.end()) == roll.threads.end(),
         "no two members share a thread");
}

void a_barrier_orders_memory_for_any_number_of_members_in_turn() {
  for (const int members : {1, 2, 3, 8, 2}) {
    const TeamClaim claim(members);
    expect(claim.members() == members, "the team grows and shrinks as it is asked");
    for (int run = 0; run < 20; ++run) {
      expect(ring_is_right(claim, 50), "the barrier orders what members write and read");
    }
  }
}

void a_taken_team_is_not_waited_for() {
  const TeamClaim claim(2);
  const TeamClaim second(2);
  expect(second.members() == 1, "a claim on a taken team works alone");
  expect(ring_is_right(second, 5), "a member alone does all the work");
  expect(ring_is_right(claim, 5), "a team is undisturbed by a second claim");
}

void many_callers_at_once_are_all_served() {
  std::vector<std::thread> callers;
  std::latch all_here(8);
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([caller, &all_here] {
      all_here.arrive_and_wait();
      for (int run = 0; run < 100; ++run) {
        const TeamClaim claim(1 + (caller + run) % 4);
        expect(ring_is_right(claim, 10), "callers at once each get their own result");
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  expect(TeamClaim(2).members() == 2, "the team is free again when all have done");
}

// Two callers take turns. What orders their turns orders no memory, so that ThreadSanitizer sees
// whether a claim does.
void a_claim_hands_the_team_over_to_the_next_caller() {
  std::atomic<int> turn{0};
  const auto call = [&turn](int caller) {
    for (int run = caller; run < 20; run += 2) {
      while (turn.load(std::memory_order_relaxed) != run) std::this_thread::yield();
      expect(ring_is_right(TeamClaim(2), 5), "the next caller finds the team in order");
      turn.store(run + 1, std::memory_order_relaxed);
    }
  };
  std::thread other(call, 1);
  call(0);
  other.join();
}

// Expects `test` to come back in a child of this process.
void expect_in_child(void (*test)(), const char* claim) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a hang is a failure
    test();
    std::_Exit(0);
  }
  int status = -1;
  expect(child > 0 && waitpid(child, &status, 0) == child, "this process can fork");
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, claim);
}

void a_child_forked_in_the_middle_of_a_run_has_a_team_of_its_own() {
  if (kThreadSanitizer) return;  // it does not follow a process with threads into a child
  std::atomic<bool> stop{false};
  std::thread other([&stop] {
    while (!stop) expect(ring_is_right(TeamClaim(3), 100), "a fork disturbs no run");
  });
  for (int fork = 0; fork < 10; ++fork) {
    expect_in_child(
        [] {
          const TeamClaim claim(3);
          expect(claim.members() == 3, "a forked child gets the members it asks for");
          expect(ring_is_right(claim, 20), "a forked child's team computes the same");
        },
        "a child forked in the middle of a run can run a team");
  }
  stop = true;
  other.join();
}

void members_compute_in_the_callers_floating_point_mode() {
  std::vector<int> rounding(3);
  for (const int mode : {FE_UPWARD, FE_TONEAREST}) {
    std::fesetround(mode);
    TeamClaim(3).run(
        [](void* context, int member) {
          (*static_cast<std::vector<int>*>(context))[member] = std::fegetround();
        },
        &rounding);
    expect(rounding == std::vector<int>(3, mode), "members round as their caller does");
  }
}

void members_flush_denormals_exactly_if_the_caller_does() {
#if defined(__SSE2__)
  const unsigned kept = __builtin_ia32_stmxcsr();
  std::vector<float> halves(3);
  for (const unsigned flush : {0x8040u, 0u}) {
    __builtin_ia32_ldmxcsr(kept | flush);
    TeamClaim(3).run(
        [](void* context, int member) {
          volatile float smallest = std::numeric_limits<float>::min();
          (*static_cast<std::vector<float>*>(context))[member] = smallest * 0.5f;
        },
        &halves);
    __builtin_ia32_ldmxcsr(kept);
    const float half = flush ? 0.0f : std::numeric_limits<float>::min() * 0.5f;
    expect(halves == std::vector<float>(3, half), "members flush denormals as their caller does");
  }
#endif
}

void workers_leave_signals_to_others() {
  std::vector<int> blocked(3);
  TeamClaim(3).run(
      [](void* context, int member) {
        sigset_t signals;
        pthread_sigmask(SIG_SETMASK, nullptr, &signals);
        (*static_cast<std::vector<int>*>(context))[member] = sigismember(&signals, SIGINT);
      },
      &blocked);
  expect(blocked == std::vector<int>({0, 1, 1}), "workers block signals and the caller does not");
}

void refused_threads_make_a_smaller_team() {
#if defined(__linux__)
  if (kThreadSanitizer || kAddressSanitizer) return;  // the limit would hit their own memory
  expect_in_child(
      [] {
        const rlimit nothing_more{1 << 20, 1 << 20};
        setrlimit(RLIMIT_AS, &nothing_more);  // no memory for new stacks
        const TeamClaim claim(100);
        expect(claim.members() < 100, "a claim says when it got fewer members");
        expect(claim.members() >= 1, "the caller is always a member");
        expect(ring_is_right(claim, 20), "a smaller team does the same work");
      },
      "a process that may make no threads works with those it has");
#endif
}

// The states of this process's threads, one letter each, as Linux tells them; R is running.
std::string states_of_threads() {
  std::string states;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string line;
    std::getline(std::ifstream(task.path() / "stat"), line);
    states += line.at(line.rfind(')') + 2);
  }
  return states;
}

void idle_workers_sleep() {
#if defined(__linux__)
  expect(ring_is_right(TeamClaim(4), 10), "a team runs before it idles");
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string states;
  do {  // this thread alone may run
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    states = states_of_threads();
  } while (std::count(states.begin(), states.end(), 'R') > 1 &&
           std::chrono::steady_clock::now() < patience);
  expect(std::count(states.begin(), states.end(), 'R') <= 1, "workers without work sleep");
#endif
}

void the_process_may_end_while_the_team_is_at_work() {
  std::thread([] {
    for (;;) ring_is_right(TeamClaim(3), 10);
  }).detach();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

using Microseconds = std::chrono::duration<double, std::micro>;

template <class Work>
double microseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return Microseconds(std::chrono::steady_clock::now() - start).count();
}

template <class Work>
double median_microseconds(int repeats, const Work& work) {
  std::vector<double> times(repeats);
  for (double& time : times) time = microseconds(work);
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[repeats / 2];
}

// A sequence of steps whose work is divided between the members.
struct Steps {
  static void body(void* context, int) {
    Steps& steps = *static_cast<Steps*>(context);
    for (int step = 0; step < steps.count; ++step) {
      for (int i = 0; i < steps.multiplications_a_member; ++i) {
        volatile double product = 1.0;
        product = product * 1.5;
      }
      steps.barrier.wait();
    }
  }

  int count;
  int multiplications_a_member;
  Barrier barrier;
};

double milliseconds_of_steps(int members, int multiplications) {
  const TeamClaim claim(members);
  Steps steps{2000, multiplications / members, Barrier(claim.members())};
  return microseconds([&] { claim.run(Steps::body, &steps); }) / 1000;
}

void print_times() {
  const auto nothing = [](void*, int) {};
  {
    const TeamClaim claim(2);
    std::printf("a run of two members, warm     %8.2f us\n",
                median_microseconds(20000, [&] { claim.run(nothing, nullptr); }));
    std::vector<double> cold(200);
    for (double& time : cold) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      time = microseconds([&] { claim.run(nothing, nullptr); });
    }
    std::sort(cold.begin(), cold.end());
    std::printf("a run of two members, asleep   %8.2f us\n", cold[100]);
    Steps steps{10000, 0, Barrier(claim.members())};
    std::printf("a barrier of two               %8.2f us\n",
                median_microseconds(20, [&] { claim.run(Steps::body, &steps); }) / steps.count);
  }
  std::printf("a claim and its release        %8.2f us\n",
              median_microseconds(20000, [] { TeamClaim claim(2); }));
  Steps alone{1, 1000000, Barrier(1)};
  double fastest = 1e9;
  for (int i = 0; i < 5; ++i) {
    fastest = std::min(fastest, microseconds([&] { Steps::body(&alone, 0); }));
  }
  const int forty_microseconds = static_cast<int>(40 * alone.multiplications_a_member / fastest);
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::printf("2000 steps of 40 us work       %8.0f ms by one, %.0f ms by two\n",
                milliseconds_of_steps(1, forty_microseconds),
                milliseconds_of_steps(2, forty_microseconds));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "--time") {
    print_times();
    return 0;
  }
  every_member_runs_once_on_a_thread_of_its_own();
  a_barrier_orders_memory_for_any_number_of_members_in_turn();
  a_taken_team_is_not_waited_for();
  many_callers_at_once_are_all_served();
  a_claim_hands_the_team_over_to_the_next_caller();
  a_child_forked_in_the_middle_of_a_run_has_a_team_of_its_own();
  members_compute_in_the_callers_floating_point_mode();
  members_flush_denormals_exactly_if_the_caller_does();
  workers_leave_signals_to_others();
  refused_threads_make_a_smaller_team();
  idle_workers_sleep();
  std::puts("ok");
  std::fflush(nullptr);
  the_process_may_end_while_the_team_is_at_work();
}

#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <cfenv>
#include <chrono>
#include <new>
#include <thread>

namespace elman {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

// Longer than members differ in a step and than a sleeper takes to wake. To give up the core sooner
// hands it to a foreign process for a whole slice of some milliseconds, in every single step.
constexpr microseconds kSpin{50};
constexpr int kPausesPerLook = 16;  // at the clock

// How long until sleep. A member that waits for one whose core a foreign process has taken stays
// awake for a slice: were it asleep when the other comes back, that one would have to wait for it.
// A worker without work stays awake from one layer to the next.
constexpr microseconds kAwakeInRun{5000};
constexpr microseconds kAwakeIdle{200};

// In the set of cores that members were seen on: two were on the same.
constexpr uint64_t kShared = uint64_t{1} << 63;

// This thread's core as a bit of a set, or no bit where the system does not tell.
uint64_t this_core() {
#if defined(__linux__)
  const int core = sched_getcpu();
  return core < 0 ? 0 : uint64_t{1} << (core % 63);
#else
  return 0;
#endif
}

// Tells the processor that this is a spin loop.
void spin_pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // waits about as long as x86's pause; Arm's yield waits not at all
#endif
}

}  // namespace

Turn::Turn() : count_(0), sleepers_(0) {}

uint32_t Turn::now() const { return count_.load(std::memory_order_relaxed); }

void Turn::await(uint32_t seen, bool crowded, microseconds awake) {
  const auto moved = [&] { return count_.load(std::memory_order_acquire) != seen; };
  if (moved()) return;
  const auto start = steady_clock::now();
  const auto waited = [&] { return steady_clock::now() - start; };
  while (!crowded && waited() < kSpin) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      spin_pause();
      if (moved()) return;
    }
  }
  while (waited() < awake) {
    std::this_thread::yield();
    if (moved()) return;
  }
  // Sequentially consistent, here and in `advance`: either this thread sees the counter moved, or
  // the one that moves it sees a sleeper.
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  count_.wait(seen, std::memory_order_seq_cst);
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void Turn::advance() {
  count_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) != 0) count_.notify_all();
}

Barrier::Barrier(int members) : members_(members), arrived_(0), cores_(0), crowded_(false) {}

void Barrier::wait() {
  if (members_ <= 1) return;
  const uint32_t round = round_.now();  // cannot end before this member has arrived
  const uint64_t core = this_core();
  if (cores_.fetch_or(core, std::memory_order_relaxed) & core) {
    cores_.fetch_or(kShared, std::memory_order_relaxed);
  }
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < members_) {
    round_.await(round, crowded_.load(std::memory_order_relaxed), kAwakeInRun);
    return;
  }
  const uint64_t cores = cores_.exchange(0, std::memory_order_relaxed);
  crowded_.store((cores & kShared) != 0, std::memory_order_relaxed);
  arrived_.store(0, std::memory_order_relaxed);
  round_.advance();
}

namespace {

struct Worker {
  Team* team;
  int member;
  Worker* next;                       // the worker of member + 1
  std::atomic<uint64_t> core;         // where its latest run began
  alignas(kCacheLine) Turn called;    // moved by the claim, once a run
  alignas(kCacheLine) Turn finished;  // moved by the worker, once a run
};

}  // namespace

// Never destroyed: its workers may be at work while the process ends, and in a forked child it may
// stand half changed by a thread that the child does not have.
struct Team {
  std::atomic<bool> taken{false};
  // All below belongs to whoever has taken the team.
  int members = 1;
  Worker* first = nullptr;
  Worker** end = &first;
  void (*body)(void* context, int member) = nullptr;
  void* context = nullptr;
  uint64_t core = 0;  // where the caller began its run
  std::fenv_t arithmetic{};
};

namespace {

constinit std::atomic<Team*> process_team{nullptr};

// A forked child has none of its parent's threads but the one that forked: it begins anew.
void forget_team() { process_team.store(nullptr, std::memory_order_relaxed); }

// The team of this process; null if there is no memory for one.
Team* team_of_process() {
  Team* team = process_team.load(std::memory_order_acquire);
  if (team != nullptr) return team;
  // Before the team can be seen, or a fork in between would hand it to the child.
  if (pthread_atfork(nullptr, nullptr, forget_team) != 0) return nullptr;
  Team* const made = new (std::nothrow) Team;
  if (made == nullptr) return nullptr;
  if (process_team.compare_exchange_strong(team, made, std::memory_order_acq_rel)) return made;
  delete made;  // another thread was faster
  return team;
}

void* work(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  const Team& team = *worker.team;
  bool crowded = false;
  for (uint32_t runs = 0;; ++runs) {
    worker.called.await(runs, crowded, kAwakeIdle);
    const uint64_t core = this_core();
    worker.core.store(core, std::memory_order_relaxed);
    crowded = (core & team.core) != 0;
    std::fesetenv(&team.arithmetic);
    team.body(team.context, worker.member);
    worker.finished.advance();
  }
}

// Starts a thread that takes no signals, so that Ctrl-C reaches the main thread.
bool start(Worker& worker) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, work, &worker) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started) pthread_detach(thread);
  return started;
}

// Makes workers until there are `wanted` members or the system gives no more threads.
void grow(Team& team, int wanted) {
  while (team.members < wanted) {
    Worker* const worker = new (std::nothrow) Worker{&team, team.members, nullptr, 0, {}, {}};
    if (worker == nullptr) return;
    if (!start(*worker)) {
      delete worker;
      return;
    }
    *team.end = worker;
    team.end = &worker->next;
    ++team.members;
  }
}

}  // namespace

TeamClaim::TeamClaim(int wanted) : team_(nullptr), members_(1) {
  if (wanted <= 1) return;
  Team* const team = team_of_process();
  if (team == nullptr || team->taken.exchange(true, std::memory_order_acquire)) return;
  grow(*team, wanted);
  team_ = team;
  members_ = wanted < team->members ? wanted : team->members;
}

TeamClaim::~TeamClaim() {
  if (team_ != nullptr) team_->taken.store(false, std::memory_order_release);
}

int TeamClaim::members() const { return members_; }

void TeamClaim::run(void (*body)(void* context, int member), void* context) const {
  if (members_ == 1) {
    body(context, 0);
    return;
  }
  team_->body = body;
  team_->context = context;
  team_->core = this_core();
  std::fegetenv(&team_->arithmetic);
  Worker* worker = team_->first;
  for (int member = 1; member < members_; ++member, worker = worker->next) {
    worker->called.advance();
  }
  body(context, 0);
  worker = team_->first;
  for (int member = 1; member < members_; ++member, worker = worker->next) {
    const bool crowded = (worker->core.load(std::memory_order_relaxed) & this_core()) != 0;
    worker->finished.await(worker->called.now() - 1, crowded, kAwakeInRun);
  }
}

}  // namespace elman

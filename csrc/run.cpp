#include "run.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <new>
#include <optional>
#include <vector>

#include "pages.h"
#include "team.h"

namespace elman {

template <>
const ForwardKernels<float, float>& forward_kernels(const Kernels& k) {
  return k.forward_float;
}
template <>
const ForwardKernels<double, double>& forward_kernels(const Kernels& k) {
  return k.forward_double;
}
template <>
const ForwardKernels<float, BFloat16>& forward_kernels(const Kernels& k) {
  return k.forward_bfloat16;
}

namespace {

constexpr std::align_val_t kAlignment{64};

// How the work of one call is divided.
//
// Rows do not meet, so many rows are cut into pieces that threads take one after another: nobody
// waits for anybody, and a thread whose core is busy elsewhere takes fewer. Few rows are not cut;
// there each thread owns a share of the hidden units for the whole sequence, so that its part of
// the weights stays in its own cache, and all meet once a step.
//
// Each piece reads all weights, so more pieces than threads have rows enough for several register
// tiles a weight; a thread's only piece may have as few as one tile. A step must be worth meeting
// for; a test asks for threads that are worth nothing, so that small sizes are divided as large
// ones are.
constexpr int64_t kPieceRows = 16, kLeastRows = 4;
// The way back goes through so many row-steps before it takes up what they leave for the weights:
// enough for large products, few enough for a near cache. The order of the sums follows it, so it
// must not depend on the number of threads.
constexpr int64_t kWindow = 256;
#if defined(ELMAN_THREADS_ARE_FREE)
constexpr double kOperationsWorthAThread = 1e-3;
constexpr double kOperationsWorthMeeting = 0;
#else
constexpr double kOperationsWorthAThread = 2e6;
constexpr double kOperationsWorthMeeting = 1.5e5;
#endif

struct Piece {
  int job;
  int64_t first, last;  // places
};

struct Work {
  Cell cell;
  RowOrder order;
  Rows rows;

  Work(const Cell& given, int64_t steps, int64_t row_count, const int64_t* lengths)
      : cell(given), order(steps, row_count, lengths), rows(order.view()) {}

  double operations_a_row() const {
    return 2.0 * gates_of(cell) * static_cast<double>(cell.units) *
           static_cast<double>(cell.inputs + cell.outputs);
  }
  double operations() const { return operations_a_row() * static_cast<double>(rows.total); }
};

struct Division {
  int members = 1;
  bool shares_units = false;  // else pieces of rows
  int64_t pieces_a_job = 1;
};

// Cuts a job's rows where the row-steps before reach equal shares.
void cut(const Work& work, int job, int64_t count, std::vector<Piece>* pieces) {
  const Rows& rows = work.rows;
  int64_t first = 0, before = 0;
  for (int64_t piece = 1; piece <= count; ++piece) {
    int64_t last = first;
    if (rows.lengths == nullptr) {
      last = rows.rows * piece / count;
    } else {
      while (last < rows.rows && before * count < rows.total * piece)
        before += rows.lengths[last++];
      if (piece == count) last = rows.rows;
    }
    if (last > first || count == 1) pieces->push_back({job, first, last});
    first = last;
  }
}

Division divide(const std::vector<Work>& works, int threads) {
  Division division;
  double operations = 0;
  for (const Work& work : works) operations += work.operations();
  const double worth = operations / kOperationsWorthAThread;
  int members = worth < threads ? std::max(1, static_cast<int>(worth)) : threads;
  const int jobs = static_cast<int>(works.size());
  const int64_t a_job = (members + jobs - 1) / jobs;
  const int64_t row_count = works[0].rows.rows;
  const bool can_cut = a_job == 1 || row_count >= a_job * kLeastRows;
  if (!can_cut) {
    const Work& work = works[0];
    const double a_step =
        work.operations() / static_cast<double>(std::max<int64_t>(work.rows.steps, 1));
    if (a_step / static_cast<double>(a_job) >= kOperationsWorthMeeting) {
      division.members = members;
      division.shares_units = true;
      return division;
    }
    members = std::min(members, jobs);
  }
  division.members = members;
  if (members > jobs || (members > 1 && jobs == 1)) {
    division.pieces_a_job =
        std::max<int64_t>(a_job, std::min<int64_t>(2 * a_job, row_count / kPieceRows));
  }
  return division;
}

// Windows of a job, the latest first; at least one, so that no steps give zeros.
std::vector<Window> windows_of(const Rows& rows) {
  const auto alive = [&](int64_t step) {
    return rows.alive == nullptr ? rows.rows : rows.alive[step];
  };
  const auto offset = [&](int64_t step) {
    return step == rows.steps       ? rows.total
           : rows.offset == nullptr ? step * rows.rows
                                    : rows.offset[step];
  };
  std::vector<Window> windows;
  int64_t last = rows.steps;
  do {
    int64_t first = last, total = 0;
    while (first > 0 && total < kWindow) total += alive(--first);
    windows.push_back({first, last, offset(first), total, last == rows.steps});
    last = first;
  } while (last > 0);
  return windows;
}

// Cuts the rows that are alive in a window. The last piece takes all others along: what begins and
// ends the way back concerns them too.
void cut_window(const Rows& rows, const Window& window, int job, int64_t count,
                std::vector<Piece>* pieces) {
  const int64_t alive = window.first == window.last ? 0
                        : rows.alive == nullptr     ? rows.rows
                                                    : rows.alive[window.first];
  const int64_t here = std::max<int64_t>(1, std::min(count, alive / kLeastRows));
  for (int64_t piece = 0; piece < here; ++piece) {
    const int64_t last = piece + 1 == here ? rows.rows : alive * (piece + 1) / here;
    pieces->push_back({job, alive * piece / here, last});
  }
}

// Memory of one call, each part beginning on a cache line of its own.
class Arena {
 public:
  // Room for `bytes` more; where they begin.
  int64_t reserve(int64_t bytes) {
    const int64_t at = size_;
    size_ += (bytes + 127) / 128 * 128;
    return at;
  }
  void allocate() {
    memory_.reset(static_cast<char*>(::operator new(static_cast<size_t>(size_), kAlignment)));
    prefer_huge_pages(memory_.get(), size_);
  }
  char* at(int64_t offset) const { return memory_.get() + offset; }

 private:
  struct Free {
    void operator()(char* memory) const { ::operator delete(memory, kAlignment); }
  };
  int64_t size_ = 0;
  std::unique_ptr<char, Free> memory_;
};

// Which members work on a job when units are shared: those whose number leaves `job`.
struct Group {
  int member, members;
};

Group group_of(int member, int members, int job, int jobs) {
  return {(member - job) / jobs, (members - job + jobs - 1) / jobs};
}

// Pieces that are taken one after another by whoever is free.
struct Round {
  std::vector<Piece> pieces;
  std::atomic<int> next{0};
};

// One call: who does which share of which job. `shared` memory belongs to a job, or, where rows
// are cut, to a member; `own` to a member.
template <class Job>
struct Call {
  const Job* jobs;
  int count;
  std::vector<Work> works;
  Division division;
  Arena arena;
  std::vector<int64_t> shared, own;                // offsets
  std::vector<std::unique_ptr<Barrier>> barriers;  // one a job
  std::deque<Round> rounds;                        // one forward; one a window on the way back

  Call(const Job* given, int job_count) : jobs(given), count(job_count) {
    for (int j = 0; j < count; ++j) {
      const auto& run = jobs[j].run;
      works.emplace_back(jobs[j].cell->cell(), run.steps, run.rows, run.lengths);
    }
  }

  void make_barriers() {
    if (!division.shares_units) return;
    for (int j = 0; j < count; ++j)
      barriers.push_back(
          std::make_unique<Barrier>(group_of(j, division.members, j, count).members));
  }

  // do_share(job, share) for everything of a round that falls to a member.
  template <class F>
  void each_share(int member, Round* round, const F& do_share) {
    if (division.shares_units) {
      for (int j = 0; j < count; ++j) {
        if (member % count != j) continue;
        const Group group = group_of(member, division.members, j, count);
        do_share(j, Share{works[j].rows, 0, works[j].rows.rows, group.member, group.members,
                          group.members > 1 ? barriers[j].get() : nullptr});
      }
      return;
    }
    const int pieces = static_cast<int>(round->pieces.size());
    for (int p = round->next++; p < pieces; p = round->next++) {
      const Piece& piece = round->pieces[p];
      do_share(piece.job, Share{works[piece.job].rows, piece.first, piece.last, 0, 1, nullptr});
    }
  }

  template <class Real>
  void clear_zeros(int64_t at, int job) {
    const Cell& cell = works[job].cell;
    std::memset(arena.at(at), 0,
                static_cast<size_t>(std::max(cell.units, cell.outputs)) * sizeof(Real));
  }
};

template <class Body>
void on_team(const TeamClaim& claim, Body body) {
  claim.run([](void* context, int member) { (*static_cast<Body*>(context))(member); }, &body);
}

template <class Real>
const BackwardKernels<Real>& backward_kernels(const Kernels& kernels);
template <>
const BackwardKernels<float>& backward_kernels(const Kernels& k) {
  return k.backward_float;
}
template <>
const BackwardKernels<double>& backward_kernels(const Kernels& k) {
  return k.backward_double;
}

// The arrays of a run that its kernel writes.
template <class Real>
void expect_writes(const Work& work, const Forward<Real>& run) {
  constexpr auto size = static_cast<int64_t>(sizeof(Real));
  const int64_t units = work.cell.units * work.rows.total * size;
  prefer_huge_pages(run.gates, gates_of(work.cell) * units);
  prefer_huge_pages(run.cells, units);
  prefer_huge_pages(run.y, run.steps * run.y_step * size);
}
template <class Real>
void expect_writes(const Work& work, const Backward<Real>& grads) {
  constexpr auto size = static_cast<int64_t>(sizeof(Real));
  const int64_t gates = gates_of(work.cell) * work.cell.units * size;
  prefer_huge_pages(grads.grad_x, work.rows.steps * grads.grad_x_step * size);
  prefer_huge_pages(grads.grad_input, gates * work.cell.inputs);
  prefer_huge_pages(grads.grad_hidden, gates * work.cell.outputs);
}

// A claim for as many as the work is worth, and the division by what it got.
template <class Job>
std::unique_ptr<TeamClaim> claim_and_divide(Call<Job>* call, int threads) {
  call->division = divide(call->works, threads);
  auto claim = std::make_unique<TeamClaim>(call->division.members);
  if (claim->members() != call->division.members)
    call->division = divide(call->works, claim->members());
  call->make_barriers();
  return claim;
}

}  // namespace

template <class Real, class Weight>
PackedCell<Real, Weight>::PackedCell(const Kernels& kernels, const Cell& cell,
                                     const Weights<Weight>& weights, Form form)
    : kernels_(&kernels), cell_(cell), form_(form) {
  const auto& pack = forward_kernels<Real, Weight>(kernels).pack;
  bytes_ = pack(cell, weights, form, false, nullptr, nullptr);
  memory_.reset(static_cast<char*>(::operator new(static_cast<size_t>(bytes_), kAlignment)));
  prefer_huge_pages(memory_.get(), bytes_);
  pack(cell, weights, form, false, memory_.get(), &packed_);
}

template <class Real, class Weight>
void PackedCell<Real, Weight>::refresh(const Weights<Weight>& weights) {
  const auto& pack = forward_kernels<Real, Weight>(*kernels_).pack;
  Packed<Real, Weight> packed;
  pack(cell_, weights, form_, true, memory_.get(), &packed);
  if (is_direct(form_)) packed_.source = weights;
}

template <class Real, class Weight>
void PackedCell<Real, Weight>::Free::operator()(char* memory) const {
  ::operator delete(memory, kAlignment);
}

template <class Real, class Weight>
void run_forward(const ForwardJob<Real, Weight>* jobs, int count, int threads) {
  Call<ForwardJob<Real, Weight>> call(jobs, count);
  const auto claim = claim_and_divide(&call, threads);
  const auto& kernels = forward_kernels<Real, Weight>(jobs[0].cell->kernels());
  const int members = call.division.members;
  for (int j = 0; j < count; ++j) expect_writes(call.works[j], jobs[j].run);
  Round& round = call.rounds.emplace_back();
  for (int j = 0; j < count; ++j) cut(call.works[j], j, call.division.pieces_a_job, &round.pieces);
  int64_t most_shared = 0, most_own = 0;
  for (const Piece& piece : round.pieces) {
    const Work& work = call.works[piece.job];
    const int64_t rows = call.division.shares_units ? work.rows.rows : piece.last - piece.first;
    const bool is_masked = jobs[piece.job].run.mask != nullptr;
    most_shared = std::max(most_shared, kernels.shared_bytes(work.cell, is_masked, rows));
    most_own = std::max(most_own, kernels.own_bytes(work.cell, rows));
  }
  const int places = call.division.shares_units ? count : members;
  for (int p = 0; p < places; ++p) call.shared.push_back(call.arena.reserve(most_shared));
  for (int m = 0; m < members; ++m) call.own.push_back(call.arena.reserve(most_own));
  call.arena.allocate();
  if (call.division.shares_units) {
    for (int j = 0; j < count; ++j) call.template clear_zeros<Real>(call.shared[j], j);
  }
  on_team(*claim, [&](int member) {
    call.each_share(member, &round, [&](int j, const Share& share) {
      const int64_t shared = call.shared[call.division.shares_units ? j : member];
      if (!call.division.shares_units) call.template clear_zeros<Real>(shared, j);
      kernels.run(call.works[j].cell, jobs[j].cell->packed(), jobs[j].run, share,
                  call.arena.at(shared), call.arena.at(call.own[member]));
    });
  });
}

template <class Real>
void run_backward(const BackwardJob<Real>* jobs, int count, int threads) {
  Call<BackwardJob<Real>> call(jobs, count);
  const auto claim = claim_and_divide(&call, threads);
  const auto& kernels = backward_kernels<Real>(jobs[0].cell->kernels());
  const int members = call.division.members;
  int64_t most_own = 0;
  size_t window_count = 1;
  std::vector<std::vector<Window>> windows;  // by job
  for (int j = 0; j < count; ++j) {
    const Work& work = call.works[j];
    expect_writes(work, jobs[j].grads);
    windows.push_back(windows_of(work.rows));
    window_count = std::max(window_count, windows[j].size());
    int64_t most_total = 0;
    for (const Window& window : windows[j]) most_total = std::max(most_total, window.total);
    call.shared.push_back(call.arena.reserve(kernels.shared_bytes(
        work.cell, jobs[j].run.resets != nullptr, work.rows.rows, most_total)));
    most_own = std::max(most_own, kernels.own_bytes(work.cell, work.rows.rows));
  }
  for (size_t w = 0; w < window_count; ++w) {
    Round& round = call.rounds.emplace_back();
    for (int j = 0; j < count; ++j) {
      if (w < windows[j].size())
        cut_window(call.works[j].rows, windows[j][w], j, call.division.pieces_a_job, &round.pieces);
    }
  }
  for (int m = 0; m < members; ++m) call.own.push_back(call.arena.reserve(most_own));
  call.arena.allocate();
  for (int j = 0; j < count; ++j) call.template clear_zeros<Real>(call.shared[j], j);
  Barrier all(members);
  const int slices = members > 1 ? 2 * members : 1;  // of the units, taken in turn
  std::vector<std::atomic<int>> next_slice(window_count);
  on_team(*claim, [&](int member) {
    char* own = call.arena.at(call.own[member]);
    for (size_t w = 0; w < window_count; ++w) {
      call.each_share(member, &call.rounds[w], [&](int j, const Share& share) {
        if (w < windows[j].size())
          kernels.through_time(call.works[j].cell, jobs[j].cell->packed(), jobs[j].run,
                               jobs[j].grads, share, windows[j][w], call.arena.at(call.shared[j]),
                               own);
      });
      all.wait();
      std::atomic<int>& next = next_slice[w];
      int gathered = -1;  // the job whose inputs of this window lie in `own`
      for (int slice = next++; slice < count * slices; slice = next++) {
        const int j = slice / slices;
        if (w >= windows[j].size()) continue;
        const Rows& rows = call.works[j].rows;
        const Share share{rows, 0, rows.rows, slice % slices, slices, nullptr};
        kernels.weights(call.works[j].cell, jobs[j].cell->packed(), jobs[j].run, jobs[j].grads,
                        share, windows[j][w], gathered == j, call.arena.at(call.shared[j]), own);
        gathered = j;
      }
      all.wait();
    }
  });
}

template class PackedCell<float, float>;
template class PackedCell<double, double>;
template class PackedCell<float, BFloat16>;
template void run_forward(const ForwardJob<float, float>*, int, int);
template void run_forward(const ForwardJob<double, double>*, int, int);
template void run_forward(const ForwardJob<float, BFloat16>*, int, int);
template void run_backward(const BackwardJob<float>*, int, int);
template void run_backward(const BackwardJob<double>*, int, int);

}  // namespace elman

// Tests of the kernels as a program of its own, without Python, so that the sanitizers can watch
// it. `make sanitize` and csrc/README.md say how it is built.
//
// Every cell with every option runs forward and backward in float32, float64 and (forward) with
// weights in bfloat16, and is compared with plain loops in double whose gradients come from
// reverse-mode differentiation. All sets of kernels that are linked in, given by
// -D'ELMAN_SETS(each)=each(generic) each(avx2)', on any number of threads, must give the same bits;
// so must a row alone and in a batch. All arrays lie between pages that nobody may touch.
//
//   --every N     only every N-th example
//   --one N       only the N-th
//
// It prints "ok" and how near to double it came and ends with 0, or says what is wrong and ends
// with 1.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "examples.h"
#include "guarded.h"
#include "isa.h"
#include "kernel_run.h"
#include "run.h"
#include "scalar_run.h"

#ifndef ELMAN_SETS
#error "Say which kernels are linked: -D'ELMAN_SETS(each)=each(generic)'"
#endif

// The kernels' own memory, too, lies between guards and starts as NaN.
void* operator new(size_t bytes, std::align_val_t alignment) {
  const size_t size = guarded::round_up(bytes, static_cast<size_t>(alignment));
  const size_t pages_size = guarded::round_up(size, guarded::page_size()) + guarded::page_size();
  char* const pages = guarded::take(pages_size);
  std::memcpy(pages, &pages_size, sizeof pages_size);  // one page ahead of the memory's first
  return pages + pages_size - size;
}
void operator delete(void* memory, std::align_val_t) noexcept {
  if (memory == nullptr) return;
  const size_t page = guarded::page_size();
  char* const pages =
      reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(memory) / page * page - page);
  size_t pages_size;
  std::memcpy(&pages_size, pages, sizeof pages_size);
  guarded::give_back(pages, pages_size);
}
void operator delete(void* memory, size_t, std::align_val_t alignment) noexcept {
  operator delete(memory, alignment);
}

namespace elman {
#define ELMAN_DECLARE(name)      \
  namespace name {               \
  extern const Kernels kKernels; \
  }
ELMAN_SETS(ELMAN_DECLARE)
#undef ELMAN_DECLARE
}  // namespace elman

namespace {

using elman::BackwardJob;
using elman::BFloat16;
using elman::Form;
using elman::ForwardJob;
using elman::Kernels;

constexpr int kThreads[] = {1, 2, 3, 8};

std::string current;  // the example that runs

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "kernels_test: %s\n  in: %s\n", what.c_str(), current.c_str());
  std::_Exit(1);
}

// Says where it was. AddressSanitizer says more itself.
void tell_of_crashes() {
#if !defined(__SANITIZE_ADDRESS__)
  std::signal(SIGSEGV, [](int signal) {
    for (const char* text :
         {"kernels_test: crashed, as at a guard\n  in: ", current.c_str(), "\n"}) {
      if (write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  });
#endif
}

// The linked kernels that this processor runs. A set that no processor is named after, compiled for
// the layout of another one, runs everywhere.
std::vector<const Kernels*> sets() {
  std::vector<const Kernels*> all;
#define ELMAN_LIST(name) all.push_back(&elman::name::kKernels);
  ELMAN_SETS(ELMAN_LIST)
#undef ELMAN_LIST
  std::erase_if(all, [](const Kernels* kernels) {
    for (const elman::InstructionSet& known : elman::known_instruction_sets()) {
      if (known.name == kernels->instruction_set) return !known.runs();
    }
    return false;
  });
  return all;
}

template <class Real>
void expect_same_bits(const std::vector<Real>& found, const std::vector<Real>& expected,
                      const std::string& name, const std::string& who) {
  if (found.size() != expected.size()) fail(name + " has another size " + who);
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::memcmp(&found[i], &expected[i], sizeof(Real)) != 0)
      fail(name + "[" + std::to_string(i) + "] is " + std::to_string(found[i]) + ", not " +
           std::to_string(expected[i]) + ", " + who);
  }
}

template <class Real>
void expect_same_bits(const Found<Real>& found, const Found<Real>& expected,
                      const std::string& who) {
  for (const auto& [name, values] : expected) expect_same_bits(found.at(name), values, name, who);
}

// The greatest error so far, in units of ε · max(1, greatest value expected).
template <class Real>
double greatest_error = 0;
template <class Real>
constexpr double kAllowedError = 64;

template <class Real>
void expect_near(const std::vector<Real>& found, const std::vector<double>& expected,
                 const std::string& name) {
  if (found.size() != expected.size()) fail(name + " has another size than in plain loops");
  double unit = 1;
  for (const double value : expected) unit = std::max(unit, std::abs(value));
  unit *= static_cast<double>(std::numeric_limits<Real>::epsilon());
  for (size_t i = 0; i < found.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected[i]) / unit;
    greatest_error<Real> = std::max(greatest_error<Real>, error);
    if (error <= kAllowedError<Real>) continue;  // false for NaN
    fail(name + "[" + std::to_string(i) + "] is " + std::to_string(found[i]) + ", not " +
         std::to_string(expected[i]) + " as in plain loops");
  }
}

// One example with one type of numbers.
template <class Real, class Weight>
class Trial {
 public:
  using Run = KernelRun<Real, Weight>;
  static constexpr bool kHasBackward = std::is_same_v<Real, Weight>;

  Trial(const Problem& problem, const std::vector<const Kernels*>& all_sets)
      : problem_(problem),
        sets_(all_sets),
        end_(problem.example.seed % 2 == 0 ? guarded::End::last : guarded::End::first),
        run_(problem, end_) {}

  void check(const Reference& reference) {
    expected_ = results(run_, *sets_[0], 1);
    compare_with(reference);
    for (const Kernels* kernels : sets_) {
      for (const int threads : kThreads) {
        expect_same_bits(results(run_, *kernels, threads), expected_,
                         with(*kernels, threads) + " than with " + set_name(*sets_[0]));
      }
      check_inference(*kernels);
      check_a_row_alone(*kernels);
      if constexpr (kHasBackward) check_unwanted_gradients(*kernels);
    }
    check_two_at_once(*sets_.back());
  }

 private:
  static std::string set_name(const Kernels& kernels) {
    return std::string(kernels.instruction_set);
  }
  static std::string with(const Kernels& kernels, int threads) {
    return "with " + set_name(kernels) + " on " + std::to_string(threads) + " threads";
  }
  static bool all_wanted(const std::string&) { return true; }

  static Found<Real> results(Run& run, const Kernels& kernels, int threads) {
    run.pack(kernels);
    run.clear();
    const auto forward = run.forward_job(true);
    elman::run_forward<Real, Weight>(&forward, 1, threads);
    if constexpr (kHasBackward) {
      const auto backward = run.backward_job(all_wanted);
      elman::run_backward<Real>(&backward, 1, threads);
    }
    return run.found();
  }

  void compare_with(const Reference& reference) {
    for (const auto& [name, values] : reference.values) {
      if (name != "cn" || problem_.example.has_cell()) expect_near(run_.dense(name), values, name);
    }
    if constexpr (kHasBackward) {
      for (const auto& [name, values] : reference.gradients)
        expect_near(run_.dense("grad_" + name), values, "grad_" + name);
    }
    if (!run_.gaps_are_untouched()) fail("room between rows was written to");
  }

  // Without gates and cells kept, a run has other ways through its memory, and the same results;
  // so it has from weights that were laid out in place of others, or that are read where they lie.
  void check_inference(const Kernels& kernels) {
    run_.pack(kernels);
    infer(kernels, "where nothing is kept, ");
    run_.repack(kernels, Form::watched);
    infer(kernels, "from weights laid out in place, ");
    run_.repack(kernels, Form::direct);
    infer(kernels, "from weights that are read where they lie, ");
  }

  void infer(const Kernels& kernels, const std::string& how) {
    for (const int threads : {1, 3}) {
      run_.clear();
      const auto job = run_.forward_job(false);
      elman::run_forward<Real, Weight>(&job, 1, threads);
      for (const char* name : {"y", "hn", "cn"}) {
        if (expected_.contains(name))
          expect_same_bits(run_.found().at(name), expected_.at(name), name,
                           how + with(kernels, threads));
      }
    }
  }

  void check_a_row_alone(const Kernels& kernels) {
    const Example& e = problem_.example;
    if (e.rows < 2) return;
    const int64_t row = e.seed % e.rows;
    Run alone(row_of(problem_, row), end_);
    results(alone, kernels, 1);
    results(run_, kernels, 1);
    for (const char* name :
         {"y", "hn", "cn", "grad_x", "grad_h0", "grad_c0", "grad_fresh_h", "grad_fresh_c"}) {
      if (!expected_.contains(name)) continue;
      if (!kHasBackward && std::string_view(name).starts_with("grad")) continue;
      const std::vector<Real> its = alone.dense(name), all = run_.dense(name);
      expect_same_bits(its, row_of_all(all, row, Run::is_over_time(name)), name,
                       "for row " + std::to_string(row) + " alone, with " + set_name(kernels));
    }
  }

  // A row out of (T, B, ·), or out of (B, ·).
  std::vector<Real> row_of_all(const std::vector<Real>& all, int64_t row, bool is_over_time) const {
    const Example& e = problem_.example;
    const int64_t blocks = is_over_time ? e.steps : 1;
    if (blocks == 0) return {};
    const int64_t size = static_cast<int64_t>(all.size()) / (blocks * e.rows);
    std::vector<Real> found;
    for (int64_t block = 0; block < blocks; ++block) {
      const auto first = all.begin() + (block * e.rows + row) * size;
      found.insert(found.end(), first, first + size);
    }
    return found;
  }

  void check_unwanted_gradients(const Kernels& kernels) {
    run_.pack(kernels);
    for (const size_t rest : {0, 1}) {
      size_t number = 0;
      std::vector<std::string> unwanted;
      const auto is_wanted = [&](const std::string& name) {
        if (number++ % 2 == rest) return true;
        unwanted.push_back(name);
        return false;
      };
      run_.clear();
      const auto forward = run_.forward_job(true);
      elman::run_forward<Real, Weight>(&forward, 1, 1);
      const Found<Real> before = run_.found();
      const auto backward = run_.backward_job(is_wanted);
      elman::run_backward<Real>(&backward, 1, 1);
      for (const auto& [name, values] : run_.found()) {
        const bool is_left = std::find(unwanted.begin(), unwanted.end(), name) != unwanted.end();
        expect_same_bits(values, is_left ? before.at(name) : expected_.at(name), name,
                         "where not all gradients are wanted, with " + set_name(kernels));
      }
    }
  }

  // Both directions of a layer in one call.
  void check_two_at_once(const Kernels& kernels) {
    Example e = problem_.example;
    e.is_reversed = !e.is_reversed;
    e.seed += 1;
    Run other(Draw(e).problem(), end_);
    const Found<Real> expected = results(other, kernels, 1);
    run_.pack(kernels);
    for (const int threads : kThreads) {
      run_.clear(), other.clear();
      const ForwardJob<Real, Weight> forward[] = {run_.forward_job(true), other.forward_job(true)};
      elman::run_forward<Real, Weight>(forward, 2, threads);
      if constexpr (kHasBackward) {
        const BackwardJob<Real> backward[] = {run_.backward_job(all_wanted),
                                              other.backward_job(all_wanted)};
        elman::run_backward<Real>(backward, 2, threads);
      }
      expect_same_bits(run_.found(), expected_, "beside another, " + with(kernels, threads));
      expect_same_bits(other.found(), expected, "as the other, " + with(kernels, threads));
    }
  }

  const Problem& problem_;
  const std::vector<const Kernels*>& sets_;
  const guarded::End end_;
  Run run_;
  Found<Real> expected_;
};

void check(const Example& example, const std::vector<const Kernels*>& all_sets) {
  const std::string text = example.text() + " (example " + std::to_string(example.seed) + ")";
  current = text;
  const Problem problem = Draw(example).problem();
  const Reference reference = ScalarRun(problem).run();
  current = "float32 " + text;
  Trial<float, float>(problem, all_sets).check(reference);
  current = "float64 " + text;
  Trial<double, double>(problem, all_sets).check(reference);
  current = "bfloat16 " + text;
  Trial<float, BFloat16>(problem, all_sets).check(reference);
}

}  // namespace

int main(int count, char** arguments) {
  size_t every = 1, first = 0;
  for (int i = 1; i < count; i += 2) {
    const std::string_view option = arguments[i];
    const long number = i + 1 < count ? std::strtol(arguments[i + 1], nullptr, 10) : 0;
    if (number < 1 || (option != "--every" && option != "--one")) {
      std::fprintf(stderr, "usage: %s [--every N | --one N]\n", arguments[0]);
      return 2;
    }
    every = option == "--every" ? static_cast<size_t>(number) : SIZE_MAX;
    first = option == "--one" ? static_cast<size_t>(number) - 1 : 0;
  }
  tell_of_crashes();
  const std::vector<const Kernels*> all_sets = sets();
  const std::vector<Example> examples = Examples::all();
  size_t done = 0;
  for (size_t i = first; i < examples.size(); i += std::min(every, examples.size()), ++done)
    check(examples[i], all_sets);
  std::printf("ok: %zu examples; greatest error %.0f (float32), %.0f (float64) of %.0f allowed\n",
              done, greatest_error<float>, greatest_error<double>, kAllowedError<float>);
}

// The order in which ragged rows are computed: longest first, so that the rows still alive at a
// step are the first of the order, and work follows the real steps.
#pragma once

#include <cstdint>
#include <vector>

namespace elman {

// What kernels read. Steps are counted from the start of the run, "places" along the order. The
// four arrays are null where all rows are equally long: then place b is row b and all are alive.
struct Rows {
  int64_t steps, rows;
  int64_t total;           // Σ lengths
  const int64_t* order;    // (rows): the caller's row at a place
  const int64_t* lengths;  // (rows): by place, falling
  const int64_t* alive;    // (steps): how many rows have this step
  const int64_t* offset;   // (steps): how many row-steps were computed before this step
};

class Barrier;

// A stretch of steps whose gradients are in memory at a time.
struct Window {
  int64_t first, last;  // steps
  int64_t base, total;  // row-steps before it, and in it
  bool is_latest;       // it holds the last step: the way back begins here
};

// What one member of the team does: some rows (places of the order), and of each a share of the
// units. Members that share rows meet at the barrier; one alone has none.
struct Share {
  Rows rows;
  int64_t first, last;  // places
  int member, members;
  Barrier* barrier;
};

class RowOrder {
 public:
  // lengths (rows), each 0 … steps, or null where all rows are `steps` long. Rows of equal length
  // keep their order.
  RowOrder(int64_t steps, int64_t rows, const int64_t* lengths);

  Rows view() const;

 private:
  int64_t steps_, rows_, total_;
  std::vector<int64_t> order_, lengths_, alive_, offset_;  // empty where all are equally long
};

}  // namespace elman

#include "rows.h"

#include <algorithm>
#include <numeric>

namespace elman {

RowOrder::RowOrder(int64_t steps, int64_t rows, const int64_t* lengths)
    : steps_(steps), rows_(rows), total_(steps * rows) {
  if (lengths == nullptr ||
      std::all_of(lengths, lengths + rows, [steps](int64_t length) { return length == steps; })) {
    return;
  }
  order_.resize(rows);
  std::iota(order_.begin(), order_.end(), int64_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [lengths](int64_t a, int64_t b) { return lengths[a] > lengths[b]; });
  lengths_.reserve(rows);
  for (int64_t row : order_) lengths_.push_back(lengths[row]);
  alive_.resize(steps);
  offset_.resize(steps);
  int64_t alive = rows;
  total_ = 0;
  for (int64_t step = 0; step < steps; ++step) {
    while (alive > 0 && lengths_[alive - 1] <= step) --alive;
    alive_[step] = alive;
    offset_[step] = total_;
    total_ += alive;
  }
}

Rows RowOrder::view() const {
  if (order_.empty()) return {steps_, rows_, total_, nullptr, nullptr, nullptr, nullptr};
  return {steps_, rows_, total_, order_.data(), lengths_.data(), alive_.data(), offset_.data()};
}

}  // namespace elman

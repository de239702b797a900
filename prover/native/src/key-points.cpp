#include "key-points.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "repeats.h"

namespace {

using Views = std::array<KeyPointsView, pointsCount>;
Views viewsOf(const Zkey& zkey) { return {zkey.a, zkey.b1, zkey.b2, zkey.c, zkey.h}; }

/** Of this thread, so that other work on the machine does not count. */
double cpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

struct WindowTask {
  int sum;
  unsigned window;
  size_t cost;
};

/** Long ones first, so that the threads end together. */
std::vector<WindowTask> tasksOf(const std::vector<Msm>& sums, bool hasB1) {
  std::vector<WindowTask> tasks;
  for (int i = 0; i < sumCount; i++)
    for (unsigned w = 0; w < (i == sumB1 && !hasB1 ? 0 : sums[i].windowCount()); w++) tasks.push_back({i, w, sums[i].windowCost(w)});
  std::stable_sort(tasks.begin(), tasks.end(), [](const WindowTask& x, const WindowTask& y) { return x.cost > y.cost; });
  return tasks;
}

size_t totalOf(const std::vector<WindowTask>& tasks) {
  size_t total = 0;
  for (const WindowTask& task : tasks) total += task.cost;
  return total;
}

class LoadedPoints final : public KeyPoints {
 public:
  LoadedPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels, ThreadPool& pool)
      : file_(std::move(file)), viewOfB1_(zkey.b1), kernels_(kernels), pool_(pool), scratch_(pool.threadCount()),
        tables_(pointsCount), ofGroups_(pointsCount) {
    const Views views = viewsOf(zkey);
    for (int i = 0; i < pointsCount; i++)
      if (i != pointsB1) tables_[i] = PointTable(kernels, views[i], pool);
  }

  std::vector<Msm> sum(const Words* wires, const Words* quotient, bool hasB1, SumProgress& progress) override {
    if (hasB1 && file_ != nullptr) loadB1();
    const double startMs = nowMs();
    repeats_.find(wires, tables_[pointsA].scalarCount(), pool_);
    ofWires_.assign(wires, tables_[pointsA].scalarCount(), pool_, repeats_.isMember());
    ofRepeats_.assign(repeats_.values(), repeats_.groupCount(), pool_);
    ofH_.assign(quotient, tables_[pointsH].scalarCount(), pool_);
    progress.digitsMs = nowMs() - startMs;
    sumGroups(hasB1, progress);
    std::vector<Msm> sums;
    for (int i = 0; i < sumCount; i++) {
      const SumSize ofEach = SumSize(tables_[i], ofWires_) + SumSize(ofGroups_[i], ofRepeats_);
      sums.emplace_back(kernels_, tables_[i].isG2(), i == sumCH ? ofEach + SumSize(tables_[pointsH], ofH_) : ofEach);
    }
    std::vector<WindowTask> tasks = tasksOf(sums, hasB1);
    progress.setTotal(totalOf(tasks));
    const auto isWithB2 = [&](const WindowTask& task) { return isSortedOnce_ && task.sum == sumB1; };
    tasks.erase(std::remove_if(tasks.begin(), tasks.end(), isWithB2), tasks.end());
    pool_.run(tasks.size(), [&](size_t i) {
      const WindowTask& task = tasks[i];
      const auto add = [&](int sum, bool isSorted) {
        const SumPart groups{ofGroups_[sum], ofRepeats_}, alone{tables_[sum], ofWires_};
        std::vector<SumPart> parts = isSorted ? std::vector<SumPart>{alone, groups} : std::vector<SumPart>{groups, alone};
        if (sum == sumCH) parts.push_back({tables_[pointsH], ofH_});
        progress.during(sum, sums[sum].windowCost(task.window), [&] {
          sums[sum].sumWindow(task.window, parts, scratch_[ThreadPool::workerIndex()], progress.isCancelled(), isSorted);
        });
      };
      add(task.sum, false);
      if (isSortedOnce_ && hasB1 && task.sum == sumB2) add(sumB1, true);
    });
    return sums;
  }

  size_t byteCount() const override {
    size_t out = 0;
    for (const PointTable& table : tables_) out += table.byteCount();
    return out;
  }

 private:
  /** Adds the points of equal scalars up. */
  void sumGroups(bool hasB1, SumProgress& progress) {
    struct Share {
      int points;
      size_t from, to;
    };
    std::vector<Share> shares;
    for (const int i : {pointsB2, pointsA, pointsC, pointsB1}) {
      if (i == pointsB1 && !hasB1) continue;
      ofGroups_[i].chooseSums(tables_[i], repeats_.groupCount());
      size_t from = 0;
      for (const size_t to : repeats_.shareEnds()) shares.push_back({i, std::exchange(from, to), to});
    }
    pool_.run(shares.size(), [&](size_t k) {
      const auto [points, from, to] = shares[k];
      progress.during(sumOf(points), 0, [&, points = points, from = from, to = to] {
        ofGroups_[points].sumGroups(kernels_, tables_[points], repeats_, from, to, scratch_[ThreadPool::workerIndex()],
                                    progress.isCancelled());
      });
    });
  }

  void loadB1() {
    file_->requireUnchanged();
    tables_[pointsB1] = PointTable(kernels_, viewOfB1_, pool_);
    file_->requireUnchanged();
    file_.reset();
    isSortedOnce_ = tables_[pointsB1].isParallelTo(tables_[pointsB2]);
  }

  /** Until the points of B in G1 are in memory: proofs whose witness blinds A never need them. */
  std::shared_ptr<const MappedFile> file_;
  const KeyPointsView viewOfB1_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  std::vector<MsmScratch> scratch_;
  std::vector<PointTable> tables_;
  /** Of the running proof; their memory is kept for the next one. `ofWires_` are those wires' that have their scalars alone. */
  Repeats repeats_;
  Scalars ofWires_, ofRepeats_, ofH_;
  std::vector<PointTable> ofGroups_;
  /** The points of B in both groups belong to the same scalars, whose digits are then sorted once for both. */
  bool isSortedOnce_ = false;
};

/** The points of scalars from to to of a section. */
KeyPointsView pieceOf(const KeyPointsView& view, size_t from, size_t to) {
  const size_t end = view.firstScalar + view.count;
  const size_t first = std::min(std::max(from, view.firstScalar), end), last = std::min(std::max(to, first), end);
  // A piece's scalars are counted from its own first one.
  return {view.isG2, view.points + (first - view.firstScalar) * view.pointBytes(), last - first, first - std::min(first, from)};
}

class MappedPoints final : public KeyPoints {
 public:
  MappedPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels, ThreadPool& pool,
               size_t pieceSize)
      : file_(std::move(file)), views_(viewsOf(zkey)), kernels_(kernels), pool_(pool), pieceSize_(pieceSize) {
    for (int i = 0; i < pointsCount; i++) finite_[i] = countFinite(views_[i]);
  }

  std::vector<Msm> sum(const Words* wires, const Words* quotient, bool hasB1, SumProgress& progress) override {
    file_->requireUnchanged();
    const Words* const scalars[2] = {wires, quotient};
    const size_t counts[2] = {views_[pointsA].count, views_[pointsH].count};
    const Scalars::Counts digits[2] = {Scalars::count(wires, counts[0], pool_), Scalars::count(quotient, counts[1], pool_)};
    std::vector<Msm> sums;
    const auto sizeOf = [&](int points) {
      const size_t kind = kindOf(points);
      return SumSize{digits[kind].halves, digits[kind].smalls, finite_[points], counts[kind]};
    };
    for (int i = 0; i < sumCount; i++)
      sums.emplace_back(kernels_, views_[i].isG2, i == sumCH ? sizeOf(pointsC) + sizeOf(pointsH) : sizeOf(i));
    const std::vector<WindowTask> tasks = tasksOf(sums, hasB1);
    const size_t pieceCount = (std::max(counts[0], counts[1]) + pieceSize_ - 1) / pieceSize_;
    progress.setTotal(totalOf(tasks));
    // Memory of one proof: between proofs nothing is held.
    std::vector<MsmScratch> scratch(pool_.threadCount());
    PointTable tables[pointsCount];
    for (size_t piece = 0; piece < pieceCount; piece++) {
      const auto range = [&](size_t kind, size_t at) { return std::min(at * pieceSize_, counts[kind]); };
      const auto view = [&](int i, size_t which) {
        const size_t kind = kindOf(i);
        return pieceOf(views_[i], range(kind, which), range(kind, which + 1));
      };
      file_->requireUnchanged();
      const double startMs = nowMs();
      const auto scalarsOf = [&](size_t kind) {
        const size_t from = range(kind, piece);
        return Scalars(scalars[kind] + from, range(kind, piece + 1) - from, pool_);
      };
      const Scalars pieceScalars[2] = {scalarsOf(0), scalarsOf(1)};
      progress.digitsMs += nowMs() - startMs;
      fill(tables, scalars, piece, view, range, hasB1);
      progress.requireWanted();
      for (int i = 0; i < pointsCount; i++) {
        const KeyPointsView read = view(i, piece), next = view(i, piece + 1);
        file_->letGo(read.points, read.count * read.pointBytes());
        if (next.count > 0) file_->wantSoon(next.points, next.count * next.pointBytes());
      }
      pool_.run(tasks.size(), [&](size_t t) {
        const WindowTask& task = tasks[t];
        progress.during(task.sum, task.cost / pieceCount, [&] {
          for (int i = 0; i < pointsCount; i++)
            if (sumOf(i) == task.sum)
              sums[task.sum].addToWindow(task.window, tables[i], pieceScalars[kindOf(i)], scratch[ThreadPool::workerIndex()],
                                         progress.isCancelled());
        });
      });
    }
    pool_.run(tasks.size(), [&](size_t t) {
      const WindowTask& task = tasks[t];
      progress.during(task.sum, 0, [&] {
        sums[task.sum].closeWindow(task.window, scratch[ThreadPool::workerIndex()], progress.isCancelled());
      });
    });
    return sums;
  }

  size_t byteCount() const override { return 0; }

 private:
  /** 0 for scalars of wires, 1 for those of the quotient. */
  static size_t kindOf(int points) { return points == pointsH ? 1 : 0; }

  /** The piece's points whose scalars are not 0, in the path's form. */
  template <class View, class Range>
  void fill(PointTable* tables, const Words* const (&scalars)[2], size_t piece, const View& view, const Range& range, bool hasB1) {
    pool_.run(pointsCount, [&](size_t i) {
      if (i == pointsB1 && !hasB1) return;
      const size_t kind = kindOf(static_cast<int>(i));
      tables[i].choose(view(static_cast<int>(i), piece), scalars[kind] + range(kind, piece));
    });
    std::vector<std::pair<size_t, size_t>> parts;
    for (size_t i = 0; i < pointsCount; i++)
      for (size_t part = 0; part < tables[i].importCount(); part++) parts.push_back({i, part});
    pool_.run(parts.size(), [&](size_t k) { tables[parts[k].first].import(kernels_, parts[k].second); });
  }

  /** Reads the section once; how many points it has decides the windows of its sum. */
  size_t countFinite(const KeyPointsView& view) {
    constexpr size_t countedPoints = size_t{1} << 16;
    const size_t parts = (view.count + countedPoints - 1) / countedPoints;
    std::atomic<size_t> out{0};
    pool_.run(parts, [&](size_t part) {
      const size_t from = part * countedPoints, to = std::min(view.count, from + countedPoints);
      size_t count = 0;
      for (size_t i = from; i < to; i++) count += view.isInfinity(i) ? 0 : 1;
      file_->letGo(view.points + from * view.pointBytes(), (to - from) * view.pointBytes());
      out += count;
    });
    return out;
  }

  const std::shared_ptr<const MappedFile> file_;
  const Views views_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  const size_t pieceSize_;
  size_t finite_[pointsCount];
};

}  // namespace

double nowMs() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void SumProgress::during(int sum, size_t cost, const std::function<void()>& work) {
  const double startMs = cpuTime();
  work();
  double total = cpuMs_[sum];
  const double takenMs = cpuTime() - startMs;
  while (!cpuMs_[sum].compare_exchange_weak(total, total + takenMs)) {
  }
  done_ += cost;
  control_.progress = static_cast<int32_t>(100 + 890 * done_ / std::max<size_t>(1, total_));
}

std::unique_ptr<KeyPoints> loadPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels,
                                      ThreadPool& pool) {
  return std::make_unique<LoadedPoints>(std::move(file), zkey, kernels, pool);
}

std::unique_ptr<KeyPoints> mapPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels,
                                     ThreadPool& pool, size_t pieceSize) {
  return std::make_unique<MappedPoints>(std::move(file), zkey, kernels, pool, pieceSize);
}

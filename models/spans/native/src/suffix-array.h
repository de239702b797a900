// Suffix arrays by induced sorting: Nong, Zhang, Chan, "Two efficient algorithms for linear time suffix array
// construction" (2011). The twin of ../../suffix-array.ts, statement by statement; the same arrays come out.
//
// A suffix is "falling" where it is greater than the one after it (type L), "rising" where it is smaller (type S). A
// rising suffix behind a falling one is a valley. Valleys sorted, all others follow from them in two sweeps: a falling
// suffix by the one after it, from the left, then a rising one by the one after it, from the right.
//
// During a sweep a complement (~p, so negative) marks a suffix that the sweep takes nothing from. The mark is set where
// a suffix is put down: its letters are in the cache then. What a sweep will read AHEAD entries later is fetched now:
// without that, most of the time goes into waiting for memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace spans {

using Position = std::int32_t;

template <class Letter>
class InducedSort {
 public:
  /** Letters are below `letterCount`; the array has room for `length` positions. */
  InducedSort(const Letter* text, Position* array, Position length, Position letterCount)
      : text_(text), array_(array), length_(length), counts_(letterCount, 0), buckets_(letterCount) {}

  void run() {
    if (length_ == 0) return;
    if (length_ == 1) {
      array_[0] = 0;
      return;
    }
    for (Position i = 0; i < length_; i++) counts_[text_[i]]++;
    const Position valleyCount = placeValleys();
    if (valleyCount > 1) {
      sortValleySubstrings();
      const Position nameCount = nameValleys(valleyCount);
      sortValleys(valleyCount, nameCount);
      spreadValleys(valleyCount);
    }
    sweepAll();
  }

 private:
  static constexpr Position AHEAD = 24;

  void toStarts() {
    Position sum = 0;
    for (size_t c = 0; c < counts_.size(); c++) buckets_[c] = sum, sum += counts_[c];
  }
  void toEnds() {
    Position sum = 0;
    for (size_t c = 0; c < counts_.size(); c++) buckets_[c] = sum += counts_[c];
  }

  /** Calls `visit` for each valley, from the right. */
  template <class Visit>
  void eachValley(Visit visit) const {
    bool isRising = false;
    for (Position i = length_ - 2; i >= 0; i--) {
      if (text_[i] < text_[i + 1]) {
        isRising = true;
      } else if (text_[i] > text_[i + 1]) {
        if (isRising) visit(i + 1);
        isRising = false;
      }
    }
  }

  /** Valleys at the ends of their letters' buckets, in any order; elsewhere 0. */
  Position placeValleys() {
    std::memset(array_, 0, sizeof(Position) * static_cast<size_t>(length_));
    toEnds();
    Position count = 0;
    eachValley([&](Position p) {
      array_[--buckets_[text_[p]]] = p;
      count++;
    });
    return count;
  }

  /** What a sweep reads soon: two steps, as the bucket's place depends on the letter. */
  void fetch(Position i) const {
    if (i < 0 || i >= length_) return;
    const Position p = array_[i];
    if (p > 0) __builtin_prefetch(text_ + p - 1);
  }
  void fetchBucket(Position i) {
    if (sizeof(Letter) == 1 || i < 0 || i >= length_) return;
    const Position p = array_[i];
    if (p > 0) __builtin_prefetch(&buckets_[text_[p - 1]], 1);
  }

  /**
   * Both sweeps, keeping only what the next step needs: at the end the valleys stand in the order of their substrings
   * (each up to the next valley), as complements, and everything else is 0.
   */
  void sortValleySubstrings() {
    toStarts();
    putFalling(length_ - 1);
    for (Position i = 0; i < length_; i++) {
      fetch(i + 2 * AHEAD);
      fetchBucket(i + AHEAD);
      const Position p = array_[i];
      if (p > 0) {
        array_[i] = 0;
        putFalling(p - 1);
      } else if (p < 0) {
        array_[i] = ~p;
      }
    }
    toEnds();
    for (Position i = length_ - 1; i >= 0; i--) {
      fetch(i - 2 * AHEAD);
      fetchBucket(i - AHEAD);
      const Position p = array_[i];
      if (p > 0) {
        array_[i] = 0;
        putRising(p - 1);
      }
    }
  }

  /** The same for whole suffixes: at the end the array is sorted. */
  void sweepAll() {
    toStarts();
    putFalling(length_ - 1);
    for (Position i = 0; i < length_; i++) {
      fetch(i + 2 * AHEAD);
      fetchBucket(i + AHEAD);
      const Position p = array_[i];
      array_[i] = ~p;
      if (p > 0) putFalling(p - 1);
    }
    toEnds();
    for (Position i = length_ - 1; i >= 0; i--) {
      fetch(i - 2 * AHEAD);
      fetchBucket(i - AHEAD);
      const Position p = array_[i];
      if (p > 0) {
        putRising(p - 1);
      } else {
        array_[i] = ~p;
      }
    }
  }

  void putFalling(Position p) {
    const Letter letter = text_[p];
    array_[buckets_[letter]++] = p > 0 && text_[p - 1] < letter ? ~p : p;
  }
  void putRising(Position p) {
    const Letter letter = text_[p];
    array_[--buckets_[letter]] = p == 0 || text_[p - 1] > letter ? ~p : p;
  }

  /** Sorted valleys to the front, their names (equal substrings have equal ones) at count + p / 2. @returns names */
  Position nameValleys(Position count) {
    Position found = 0;
    for (Position i = 0; found < count; i++) {
      const Position p = array_[i];
      // A rising suffix at 0 is marked too, and is no valley.
      if (p >= -1) continue;
      array_[i] = 0;
      array_[found++] = ~p;
    }
    std::memset(array_ + count, 0, sizeof(Position) * static_cast<size_t>(length_ - count));
    Position end = length_;
    // Lengths first; the last valley's substring reaches the end, which no other does.
    eachValley([&](Position p) {
      array_[count + (p >> 1)] = end - p;
      end = p + 1;
    });
    Position name = 0, last = 0, lastSize = -1;
    for (Position i = 0; i < count; i++) {
      if (i + AHEAD < count) {
        __builtin_prefetch(text_ + array_[i + AHEAD]);
        __builtin_prefetch(array_ + count + (array_[i + AHEAD] >> 1), 1);
      }
      const Position p = array_[i];
      Position& slot = array_[count + (p >> 1)];
      const Position size = slot;
      const bool isSame = size == lastSize && p + size < length_ && last + size < length_ &&
                          std::memcmp(text_ + p, text_ + last, sizeof(Letter) * static_cast<size_t>(size)) == 0;
      if (!isSame) name++;
      last = p;
      lastSize = size;
      slot = name;
    }
    return name;
  }

  /** The valleys' suffixes in order, at the front: the names make a text of at most half the length. */
  void sortValleys(Position count, Position nameCount) {
    std::vector<Position> names(count);
    Position at = 0;
    for (Position i = count; at < count; i++) {
      if (array_[i] != 0) names[at++] = array_[i] - 1;
    }
    if (nameCount == count) {
      for (Position i = 0; i < count; i++) array_[names[i]] = i;
    } else {
      InducedSort<Position>(names.data(), array_, count, nameCount).run();
    }
    at = count;
    eachValley([&](Position p) { names[--at] = p; });
    for (Position i = 0; i < count; i++) array_[i] = names[array_[i]];
  }

  /** From the front to the ends of their buckets; elsewhere 0. */
  void spreadValleys(Position count) {
    std::memset(array_ + count, 0, sizeof(Position) * static_cast<size_t>(length_ - count));
    toEnds();
    for (Position i = count - 1; i >= 0; i--) {
      const Position p = array_[i];
      array_[i] = 0;
      array_[--buckets_[text_[p]]] = p;
    }
  }

  const Letter* text_;
  Position* array_;
  Position length_;
  std::vector<Position> counts_, buckets_;
};

}  // namespace spans

pragma circom 2.1.6;

// Places of the kinds in flags[]: the reserved ones (ForcedClaim, ForcedTransfer) have none, so no slot can show
// them. Null is "no flag".
function WIDE_KIND_COUNT() { return 20; }
function WIDE_KIND(i) {
    var kinds[20] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    return kinds[i];
}
// Signed kinds are those with a weight.
function WIDE_WEIGHT(i) {
    var weights[20] = [10, 14, 14, 30, 30, 50, 40, 40, 25, 20, 25, 30, 0, 30, 0, 0, 0, 0, 0, 0];
    return weights[i];
}
function WIDE_WORDS(i) {
    var counts[20] = [0, 1, 1, 2, 2, 7, 2, 5, 1, 0, 1, 0, 1, 1, 1, 4, 4, 5, 4, 4];
    return counts[i];
}

pragma circom 2.1.6;

include "../../field/poseidon.circom";
include "../../field/range-check.circom";

// One count of a direct query and its column: (2 count - 3) * C, which is -3C, -C, C or 3C.
//
// Inputs:      count; point[2] = C; triple[2] = 3 * C.
// Outputs:     out[2].
// Assumes:     point and triple are as stated.
// Ensures:     0 <= count < 4, and out = (2 count - 3) * C.
// Constraints: 2 + 4 = 6; none linear.
template TermCount() {
    signal input count;
    signal input point[2];
    signal input triple[2];
    signal output out[2];
    // A hint, since a shift is not quadratic. Both bits boolean and their sum = count pin it.
    signal high <-- (count >> 1) & 1;
    high * (high - 1) === 0;
    var low = count - 2 * high;
    low * (low - 1) === 0;
    // The bits differ for counts 1 and 2, and then the point is single. v is -3v, -v, v, 3v without a product of the bits.
    signal isSingle <== (high - low) * (high - low);
    out[0] <== isSingle * (point[0] - triple[0]) + triple[0];
    signal ofLow <== low * (triple[1] - point[1]);
    out[1] <== high * (triple[1] + point[1]) + ofLow - triple[1];
}

// The hash of a direct query. Rules: directQueryCommitment in direct-query.ts.
//
// Parameters:  buckets >= 1, below 2^16.
// Inputs:      counts[buckets]; answeredClass; pair.
// Outputs:     commitment; total = sum of the counts.
// Assumes:     every count is below 4, answeredClass is boolean, pair is an integer below 2^12.
// Ensures:     commitment binds counts, class and pair: 126 counts are below 2^252 < r, and the first element of the first hash
//              is below 2^29 with a place of bits for each of the three, so no two queries pack alike.
// Constraints: 609 for every 1,890 buckets or part of them; linear 1 for each 126, 1 for each 128, 1, and beyond 128 one more.
template CountsHash(buckets) {
    signal input counts[buckets];
    signal input answeredClass;
    signal input pair;
    signal output commitment;
    signal output total;
    var elements = (buckets + 125) \ 126;
    var chunks = (elements + 14) \ 15;
    signal packed[elements];
    for (var e = 0; e < elements; e++) {
        var sum = 0;
        for (var a = 0; a < 126 && 126 * e + a < buckets; a++) { sum += (1 << (2 * a)) * counts[126 * e + a]; }
        packed[e] <== sum;
    }
    component hash[chunks];
    for (var c = 0; c < chunks; c++) {
        hash[c] = HashTagged(16, 20);
        if (c == 0) { hash[c].in[0] <== buckets + (1 << 16) * answeredClass + (1 << 17) * pair; } else { hash[c].in[0] <== hash[c - 1].out; }
        for (var j = 0; j < 15; j++) {
            if (15 * c + j < elements) { hash[c].in[j + 1] <== packed[15 * c + j]; } else { hash[c].in[j + 1] <== 0; }
        }
    }
    commitment <== hash[chunks - 1].out;

    // In two steps: the compiler's work is quadratic in the number of terms of one sum.
    var parts = (buckets + 127) \ 128;
    signal part[parts];
    var all = 0;
    for (var p = 0; p < parts; p++) {
        var sum = 0;
        for (var a = 128 * p; a < 128 * p + 128 && a < buckets; a++) { sum += counts[a]; }
        part[p] <== sum;
        all += part[p];
    }
    total <== all;
}

// Bits of L = floor(8 sqrt(n)) for any n of so many buckets: least with 2^bits > 8 sqrt(3 buckets).
function LENGTH_BITS(buckets) {
    var bits = 0;
    while ((1 << (2 * bits)) <= 192 * buckets) { bits++; }
    return bits;
}

// L = floor(8 sqrt(n)), bit by bit. Rules: lengthOf in direct-query.ts.
//
// Parameters:  bits: 2 ... 120.
// Inputs:      terms: n.
// Outputs:     bit[bits]: of L, lowest first.
// Assumes:     n is an integer with 8 sqrt(n) < 2^bits.
// Ensures:     L^2 <= 64 n < (L + 1)^2.
//
// Why: L < 2^bits by its bits; 64 n - L^2 and L^2 + 2 L - 64 n each lie in 0 ... 2^(bits + 1) - 1, and both are differences
// of integers below 2^(2 bits + 1), far below r.
// Constraints: bits + 1 + 1 + 2 * (bits + 1) + 1; of these 2 linear.
template TermLength(bits) {
    signal input terms;
    signal output bit[bits];
    // A hint, since a root is not quadratic; the ranges pin it.
    var root = 0;
    for (var i = bits - 1; i >= 0; i--) {
        var next = root + (1 << i);
        if (next * next <= 64 * terms) { root = next; }
    }
    signal length <-- root;
    component bitsOf = BitsOf(bits);
    bitsOf.in <== length;
    bit <== bitsOf.out;
    signal rest <== 64 * terms - length * length;
    component restRange = RangeCheck(bits + 1);
    restRange.in <== rest;
    component belowRange = RangeCheck(bits + 1);
    belowRange.in <== 2 * length - rest;
}

pragma circom 2.1.6;

include "../../field/curve/montgomery.circom";
include "../../field/poseidon.circom";

// One entry of a query and its column: the four points e_i * C, where q = sum of 4^i * e_i, e_i in {-3, -1, 1, 3}.
//
// Inputs:      byte = sum of 4^i * (2 * sigma_i + m_i), sigma_i = 1 iff e_i > 0, m_i = 1 iff |e_i| = 3;
//              point[2] = C; triple[2] = 3 * C.
// Outputs:     out[4][2].
// Assumes:     point and triple are as stated.
// Ensures:     0 <= byte < 256, and out[i] = e_i * C.
// Constraints: 8 + 4 * 3 = 20; none linear.
template QueryEntry() {
    signal input byte;
    signal input point[2];
    signal input triple[2];
    signal output out[4][2];
    signal bit[8]; // bit 2i is m_i, bit 2i + 1 sigma_i; bit[0] stays unused
    signal absV[4];

    var lowest = byte;
    bit[0] <== 0;
    for (var i = 1; i < 8; i++) {
        // A hint, since a shift is not quadratic. All bits boolean and their sum = byte pin it.
        bit[i] <-- (byte >> i) & 1;
        bit[i] * (bit[i] - 1) === 0;
        lowest -= bit[i] * (1 << i);
    }
    lowest * (lowest - 1) === 0;
    for (var i = 0; i < 4; i++) {
        var isTriple = i == 0 ? lowest : bit[2 * i];
        out[i][0] <== isTriple * (triple[0] - point[0]) + point[0];
        absV[i] <== isTriple * (triple[1] - point[1]) + point[1];
        out[i][1] <== (2 * bit[2 * i + 1] - 1) * absV[i];
    }
}

// The hash of a query's bytes. Rules: queryCommitment in query.ts; format: docs/reference/settlement.md.
//
// Parameters:  features >= 1.
// Inputs:      bytes[features].
// Outputs:     commitment.
// Assumes:     every byte is below 256.
// Ensures:     commitment binds the bytes: 31 of them are below 2^248, so no two lists pack alike.
// Constraints: 594 for every 465 bytes or part of 465, and 1 for every 31 or part of 31; some linear where a chunk has
//              fewer than 15 elements.
template QueryHash(features) {
    signal input bytes[features];
    signal output commitment;
    var chunks = (features + 464) \ 465;
    component hash[chunks];
    for (var i = 0; i < chunks; i++) {
        var count = features - 465 * i < 465 ? features - 465 * i : 465;
        hash[i] = QueryChunkHash(count);
        if (i == 0) { hash[i].before <== features; } else { hash[i].before <== hash[i - 1].out; }
        for (var j = 0; j < count; j++) { hash[i].bytes[j] <== bytes[465 * i + j]; }
    }
    commitment <== hash[chunks - 1].out;
}

// One step of QueryHash. A template of its own, since circom 2 panics (build_io_map, division by zero) where an array
// of components holds several sizes of one that has an empty input, as PoseidonCore has.
//
// Parameters:  count = 1 ... 465.
// Inputs:      before, bytes[count].
// Outputs:     out = H[QUERY](before, elements of 31 bytes).
// Assumes:     every byte is below 256.
// Ensures:     out is determined by the inputs.
// Constraints: 594 + ceil(count / 31).
template QueryChunkHash(count) {
    signal input before;
    signal input bytes[count];
    signal output out;
    component core = PoseidonCore(16, count + 1, QUERY_PACKING(count), 0, 17);
    core.in[0] <== before;
    for (var j = 0; j < count; j++) { core.in[j + 1] <== bytes[j]; }
    out <== core.out;
}

// Row 0 takes signal 0; row 1 + e takes signals 1 + 31e ... as bytes, the lowest first.
function QUERY_PACKING(count) {
    var packing[16][466];
    packing[0][0] = 1;
    for (var j = 0; j < count; j++) { packing[1 + j \ 31][j + 1] = 1 << (8 * (j % 31)); }
    return packing;
}

pragma circom 2.1.6;

include "../../field/range-check.circom";
include "../../ledger/path-read.circom";
include "../scores/feature-columns.circom";
include "./direct-scores.circom";

// Domain tag of a node above pairs' columns: TAG.pairNode in protocol.ts.
function TAG_PAIR_NODE() { return 41; }

// Levels of the tree of pairs: PAIR_TREE_DEPTH in pair-columns.ts.
function PAIR_TREE_DEPTH() { return 4; }

// The columns of one pair of labels: loaded, shown at their place among the columns of all pairs of the model, and what
// the draws that score by them share. Rules: pairTree and pairColumns in pair-columns.ts.
//
// Parameters:  buckets: exactly D.
// Inputs:      start[2] = S. u, v[buckets + 1]: FeatureColumns, one a bucket and the bias' last. pair: the place of the pair.
//              path: the eight children of each node on the way up, the prover's.
// Outputs:     tripleU, tripleV: FeatureColumns. base: DirectBase. root: what the path leads to.
// Assumes:     S as DirectScores does. The caller compares root, and commits to pair (CountsHash).
// Ensures:     pair is an integer below 2^12: the sum of its twelve bits, and those choose the child on each level. So a pair
//              has one leaf, and no other field element stands for it. The columns are those of the leaf at pair in the tree
//              root: other columns for the same root and pair are a collision of the hash, on the path or of the columns. An
//              unused place has the leaf 0, of which nobody knows columns.
// Constraints: FeatureColumns(buckets + 1), 3 * buckets + 19 of DirectBase, 13 + 409 * 4 = 1,649 of the path.
template PairColumns(buckets) {
    signal input start[2];
    signal input u[buckets + 1];
    signal input v[buckets + 1];
    signal input pair;
    signal input path[PAIR_TREE_DEPTH()][8];
    signal output tripleU[buckets + 1];
    signal output tripleV[buckets + 1];
    signal output base[2];
    signal output root;

    component columns = FeatureColumns(buckets + 1);
    columns.u <== u;
    columns.v <== v;
    tripleU <== columns.tripleU;
    tripleV <== columns.tripleV;

    component place = BitsOf(3 * PAIR_TREE_DEPTH());
    place.in <== pair;
    component read = PathRead8(PAIR_TREE_DEPTH(), TAG_PAIR_NODE());
    read.idBits <== place.out;
    read.leaf <== columns.commitment;
    read.children <== path;
    root <== read.root;

    component shared = DirectBase(buckets);
    shared.start <== start;
    for (var a = 0; a < buckets; a++) {
        shared.u[a] <== u[a];
        shared.v[a] <== v[a];
    }
    base <== shared.base;
}

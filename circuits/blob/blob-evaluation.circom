pragma circom 2.1.6;

include "./blob-arithmetic.circom";

// Baby steps of a polynomial with n coefficients: the least I with I · I >= n.
function BABY_STEPS(n) {
    var steps = 1;
    while (steps * steps < n) { steps++; }
    return steps;
}
// Giant steps: how often I coefficients are read.
function GIANT_STEPS(n) {
    var steps = BABY_STEPS(n);
    return (n + steps - 1) \ steps;
}
// The highest power of z that is needed: z^I where there is a second giant step.
function HIGHEST_POWER(n) {
    if (GIANT_STEPS(n) > 1) { return BABY_STEPS(n); }
    return BABY_STEPS(n) - 1;
}
function REDUCTIONS(n) { return HIGHEST_POWER(n) - 1 + GIANT_STEPS(n); }

// The value at z of the polynomial that a batch's blob holds: y_b = Σ d_k z^k mod p. Its coefficients are pairs of cores,
// then members' payloads (blob-elements.ts). L1 has the same value from the blob, at the same z (docs/explanation/data-availability.md).
//
// Parameters:  transfers, members: slots of the two sections, together even.
// Inputs:      z; cores of the slots; payloads; halves: y_b = halves[0] + 2^128 halves[1]. Witness: quotient, remainder: of every
//              reduction, powers of z first, then giant steps from the last one down (blob-reductions.ts).
// Assumes:     cores are below 2^92. A slot's core is kind + 2^4 A + 2^28 B + 2^52 amount of 4, 24, 24 and 40 checked bits, and 0
//              where the slot is null (slot-head.circom).
// Ensures:     y_b is this value, below p; halves are its own, below 2^128. Payloads are below 2^184 FIELD(2).
// Constraints: blobConstraints in blob-counts.ts.
template BlobEvaluation(transfers, members) {
    assert((transfers + members) % 2 == 0 && transfers >= 1 && members >= 1);
    var pairs = (transfers + members) \ 2;
    var n = pairs + members;
    var baby = BABY_STEPS(n);
    var giant = GIANT_STEPS(n);
    var highest = HIGHEST_POWER(n);
    var count = REDUCTIONS(n);
    signal input z;
    signal input transferCore[transfers];
    signal input memberCore[members];
    signal input memberPayload[members];
    signal input halves[2];
    signal input quotient[count][3];
    signal input remainder[count][3];

    // A. Coefficients as limbs.
    signal core[pairs][2];
    for (var i = 0; i < transfers + members; i++) {
        if (i < transfers) { core[i \ 2][i % 2] <== transferCore[i]; } else { core[i \ 2][i % 2] <== memberCore[i - transfers]; }
    }
    component payload[members];
    for (var i = 0; i < members; i++) {
        payload[i] = PayloadLimbs();
        payload[i].payload <== memberPayload[i];
    }

    // B. Powers: power[i] is z^(i + 1), or as much modulo p.
    signal power[highest][3];
    component point = PointLimbs();
    point.z <== z;
    power[0] <== point.limb;
    component powerProduct[highest];
    component powerReduction[highest];
    for (var i = 1; i < highest; i++) {
        powerProduct[i] = LimbProduct(3);
        powerProduct[i].a <== power[i - 1];
        powerProduct[i].b <== power[0];
        powerReduction[i] = ReduceModP(1);
        powerReduction[i].at <== powerProduct[i].at;
        powerReduction[i].quotient <== quotient[i - 1];
        powerReduction[i].remainder <== remainder[i - 1];
        power[i] <== remainder[i - 1];
    }

    // C. Giant steps, from the highest coefficients down: what came so far times z^I, and the next I coefficients times
    //    1, z, …, z^(I - 1). All of it is one sum of at most I + 1 products, and one reduction.
    component pairProduct[pairs];
    component payloadProduct[members];
    component giantProduct[giant];
    component giantReduction[giant];
    for (var j = giant - 1; j >= 0; j--) {
        var at[5] = [0, 0, 0, 0, 0];
        var step = count - 1 - j;
        if (j < giant - 1) {
            giantProduct[j] = LimbProduct(3);
            giantProduct[j].a <== remainder[step - 1];
            giantProduct[j].b <== power[baby - 1];
            for (var c = 0; c < 5; c++) { at[c] += giantProduct[j].at[c]; }
        }
        for (var i = 0; i < baby && j * baby + i < n; i++) {
            var k = j * baby + i;
            var m = k - pairs;
            if (i == 0) {
                // The coefficient itself, as a polynomial in 2^92 at the five points; infinity is the coefficient of X^4.
                var limb[3] = [0, 0, 0];
                if (k < pairs) { limb[0] = core[k][0]; limb[1] = core[k][1]; } else { for (var c = 0; c < 3; c++) { limb[c] = payload[m].limb[c]; } }
                at[0] += limb[0];
                at[1] += limb[0] + limb[1] + limb[2];
                at[2] += limb[0] - limb[1] + limb[2];
                at[3] += limb[0] + 2 * limb[1] + 4 * limb[2];
            } else if (k < pairs) {
                pairProduct[k] = LimbProduct(2);
                pairProduct[k].a <== core[k];
                pairProduct[k].b <== power[i - 1];
                for (var c = 0; c < 4; c++) { at[c] += pairProduct[k].at[c]; }
            } else {
                payloadProduct[m] = LimbProduct(3);
                payloadProduct[m].a <== payload[m].limb;
                payloadProduct[m].b <== power[i - 1];
                for (var c = 0; c < 5; c++) { at[c] += payloadProduct[m].at[c]; }
            }
        }
        giantReduction[j] = ReduceModP(baby + 1);
        for (var c = 0; c < 5; c++) { giantReduction[j].at[c] <== at[c]; }
        giantReduction[j].quotient <== quotient[step];
        giantReduction[j].remainder <== remainder[step];
    }

    // D. The last remainder is y_b: below p, so it is the one that L1 has, and no other.
    component below = BelowLimbs(BLOB_FIELD(0), BLOB_FIELD(1), BLOB_FIELD(2));
    below.limb <== remainder[count - 1];

    // E. Its halves. The second limb is low + 2^36 high, of 36 and 56 bits: one such pair for each number of 92 bits. So
    //    halves[0] = first limb + 2^92 low < 2^128, and halves[1] = high + 2^56 third limb < 2^127.
    var low = (halves[0] - remainder[count - 1][0]) * (1 / (1 << 92));
    var high = (remainder[count - 1][1] - low) * (1 / (1 << 36));
    component lowRange = RangeCheck(36);
    component highRange = RangeCheck(56);
    lowRange.in <== low;
    highRange.in <== high;
    halves[1] === high + (1 << 56) * remainder[count - 1][2];
}

pragma circom 2.1.6;

include "../poseidon.circom";
include "./montgomery.circom";
include "./fixed-base-mul.circom";
include "./scalar-mul.circom";

// One EdDSA-Poseidon signature, as circomlib defines it: S * B8 = R8 + h * 8A, h = Poseidon(R8, A, M).
//
// Phases: A. challenge  B. key to the Montgomery form, P = 8A  C. -V * P with V = h (mod l)
//         D. C + S * B8 - shift from tables  E. their sum is R8
//
// Inputs:     keyX: x-coordinate of the key A, from the leaf; keyY: its y-coordinate (witness);
//             R8x, R8y, S: the signature (witness); M: the message. Field elements, any values.
// Assumes:    keyX was registered by its owner as the x-coordinate of a point of prime order l. A leaf whose key
//             is no such point is protected by nothing, which is its owner's doing. The sequencer refuses such
//             keys, and signatures with R8 = identity, before it acknowledges an operation: they have no witness.
// Ensures:    whoever made the witness knew a signature of M by A, or broke one of: discrete logarithms on
//             BabyJubJub, Poseidon as a random oracle. The arguments:
//   1. (x, y) and (x, -y) both satisfy the key's equation. (x, -y) = -A + (0, -1), and 8 (0, -1) = identity: the
//      second opening is the key -A with its own challenges. Who forges for -A (an equally random key, and a
//      signer for -A never existed) breaks Schnorr signatures without queries to a signer.
//   2. S is any integer below 2^252, not below l: (R8, S + l) passes where (R8, S) does. Nothing reads S, so a
//      second S has no effect; nonces, not signatures, make operations unique.
//   3. V is one of at most two scalars for each h: h, or one of h + r and h - r (mod l), see NegatedScalarMul. In
//      the random-oracle proof a hash query then has two good answers instead of one: a factor of two in the
//      forger's chance.
//   4. Each addition that is not complete says why nobody reaches its exception; the reasons are in the bodies of
//      FixedBaseMul, NegatedScalarMul and phase E. An honest signature meets one with probability below 2^-240.
//   A key with a small-order part is checked like any other (8A drops the part), a key of small order has no
//   witness: the doublings of phase B meet (0, 0).
// Constraints: 2,792: A 321 · B 16 · C 1,775 · D 672 · E 8; none linear.
template EdDSAPoseidonCheck() {
    signal input keyX;
    signal input keyY;
    signal input R8x;
    signal input R8y;
    signal input S;
    signal input M;
    signal output challenge;

    // A. Initial state 0, circomlib's; no other use of Poseidon in the protocol has the tag 0.
    component hash = HashTagged(5, 0);
    hash.in[0] <== R8x;
    hash.in[1] <== R8y;
    hash.in[2] <== keyX;
    hash.in[3] <== keyY;
    hash.in[4] <== M;
    challenge <== hash.out;

    // B. Three doublings. They exclude points of order 1, 2, 4 and 8 (one of them meets (0, 0), keyX = 0 at once),
    //    so P = 8A is a point of order l whatever the prover says.
    component key = EdwardsToMontgomery();
    key.x <== keyX;
    key.y <== keyY;
    component double[3];
    for (var i = 0; i < 3; i++) {
        double[i] = MontgomeryDouble();
        if (i == 0) {
            double[i].u <== key.u;
            double[i].v <== key.v;
            double[i].uSquare <== key.uSquare;
        } else {
            double[i].u <== double[i - 1].outU;
            double[i].v <== double[i - 1].outV;
            double[i].uSquare <== double[i - 1].outU * double[i - 1].outU;
        }
    }

    // C. -V * 8A.
    component byChallenge = NegatedScalarMul();
    byChallenge.point[0] <== double[2].outU;
    byChallenge.point[1] <== double[2].outV;
    byChallenge.scalar <== hash.out;

    // D.
    component byBase = FixedBaseMul();
    byBase.scalar <== S;

    // E. D's result - V * 8A + correction = S * B8 - V * 8A. Exceptions: the first sum's terms are equal if
    //    C + s * B8 = -V * 8A for scalars s, V the prover knows; the second's if S * B8 - V * 8A = 2 (shift - C).
    //    Either solves for C = (known) * B8 + (known) * A. Take a forger who does so for a key he did not make:
    //    give him a key A = a * B8 with known a (so his signature queries can be answered), and the answer is the
    //    discrete logarithm of C, a hash. A forger who made the key himself forges for his own leaf only.
    //    S * B8 = V * 8A, so R8 = identity, has no witness: the second sum has opposite terms.
    component sum = UnsafeMontgomeryAdd();
    sum.a <== byBase.out;
    sum.b <== byChallenge.out;
    var correction[2] = EDDSA_CORRECTION();
    component r8 = UnsafeMontgomeryAdd();
    r8.a <== sum.out;
    r8.b[0] <== correction[0];
    r8.b[1] <== correction[1];
    // (u, v) is of order l here, so v != 0 and u + 1 != 0: one R8x and one R8y satisfy these.
    R8x * r8.out[1] === r8.out[0];
    R8y * (r8.out[0] + 1) === r8.out[0] - 1;
}

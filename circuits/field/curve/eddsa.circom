pragma circom 2.1.6;

include "../poseidon.circom";
include "./montgomery.circom";
include "./base/base-points.circom";
include "./scalar-mul.circom";

// One Schnorr signature on BabyJubJub: S * B8 = R8 + V * A, h = H[tag](R8x, keyX, parts), V = 2^128 + 1 + 2 (h mod 2^128).
//
// Phases: A. challenge  B. key to the Montgomery form, 2A  C. -V * A  D. C + S * B8 - shift from tables  E. their sum is R8
//
// Inputs:     keyX: x-coordinate of the key A, from the leaf; keyY: its y-coordinate (witness); R8x, S: the signature
//             (witness); tag, parts: the message. Field elements, any values.
// Outputs:    challenge = h. It is a hash of R8x, keyX and all parts: whoever absorbs h has fixed them.
// Assumes:    keyX was registered by its owner as the x-coordinate of a point of prime order l. A leaf whose key
//             is no such point is protected by nothing, which is its owner's doing. The sequencer refuses such
//             keys, and signatures with R8 = identity, before it acknowledges an operation. tag is one of few constants.
// Ensures:    whoever made the witness knew a signature of the message by A, or broke one of: discrete logarithms on
//             BabyJubJub, Poseidon as a random oracle. The arguments:
//   1. *128 bits.* Two forgeries with one R8 and different V give A's discrete logarithm, as for any Schnorr challenge; V is
//      one-to-one in c = h mod 2^128. A guess of c is right with 2^-128. A long challenge would resist collisions of c, too,
//      and nothing needs that: a forger must hit c for an R8 that a new message's hash covers (Neven, Smart and
//      Warinschi, "Hash function requirements for Schnorr signatures", 2009: random-prefix preimages and second preimages
//      in the generic group model). Given up: who makes a key can find, by 2^64 hashes, two messages with one (R8, S). Both
//      are his, and no rule takes a signature for a message's name: h, nonces and operation hashes have all 254 bits.
//   2. *Which c.* It is one of at most two values for each h, see NegatedChallengeMul: a factor of two in the forger's chance.
//   3. *No y in the hash.* At most one point of the subgroup has the x-coordinate R8x, as (x, -y) = -(x, y) + (0, -1) and
//      (0, -1) has order 2: R8x stands for R8. Likewise keyX has the openings A and -A + T with T = (0, -1). With
//      the second the circuit shows S * B8 + V * A + T = R8', V being odd, and a point Q + T has the x-coordinate of -Q.
//      So R8x is that of -S * B8 - V * A: (R8x, -S) is a signature by A under the same h. The opening adds no forgery.
//      Should that sum be (0, 0), R8x is free: then S * B8 = -V * A, which tells A's discrete logarithm.
//   4. S is what BasePoints's points spell, any integer below 2^252, not below l: (R8, S + l) passes where (R8, S) does.
//      Nothing reads S, so a second S has no effect; nonces, not signatures, make operations unique.
//   5. Each addition that is not complete says why nobody reaches its exception; the reasons are in the bodies of
//      BasePoints, NegatedChallengeMul and phase E. An honest signature meets one with probability below 2^-240.
//   keyX = 0 has no witness: v = 0 in B's doubling.
// Constraints: 1,677: A 324 · B 8 · C 896 · D 442 · E 7; none linear.
template SignatureCheck() {
    signal input keyX;
    signal input keyY;
    signal input R8x;
    signal input S;
    signal input tag;
    signal input parts[3];
    signal output challenge;

    // A.
    component hash = HashTaggedVar(5);
    hash.tag <== tag;
    hash.in[0] <== R8x;
    hash.in[1] <== keyX;
    for (var i = 0; i < 3; i++) { hash.in[2 + i] <== parts[i]; }
    challenge <== hash.out;

    // B. The doubling excludes keyX = 0: A's v is not 0.
    component key = EdwardsToMontgomery();
    key.x <== keyX;
    key.y <== keyY;
    component double = MontgomeryDouble();
    double.u <== key.u;
    double.v <== key.v;
    double.uSquare <== key.uSquare;

    // C. -V * A.
    component byChallenge = NegatedChallengeMul();
    byChallenge.point[0] <== key.u;
    byChallenge.point[1] <== key.v;
    byChallenge.vSquare <== key.v * key.v;
    byChallenge.twice[0] <== double.outU;
    byChallenge.twice[1] <== double.outV;
    byChallenge.hash <== hash.out;

    // D.
    component byBase = BasePoints();
    byBase.scalar <== S;

    // E. D's result - V * A + correction = S * B8 - V * A. Exceptions: the first sum's terms are equal if
    //    C + s * B8 = -V * A for scalars s, V the prover knows; the second's if S * B8 - V * A = 2 (shift - C).
    //    Either solves for C = (known) * B8 + (known) * A. Take a forger who does so for a key he did not make:
    //    give him a key A = a * B8 with known a (so his signature queries can be answered), and the answer is the
    //    discrete logarithm of C, a hash. A forger who made the key himself forges for his own leaf only.
    //    S * B8 = V * A, so R8 = identity, has no witness: the second sum has opposite terms.
    component sum = UnsafeMontgomeryAdd();
    sum.a <== byBase.out;
    sum.b <== byChallenge.out;
    var correction[2] = EDDSA_CORRECTION();
    component r8 = UnsafeMontgomeryAdd();
    r8.a <== sum.out;
    r8.b[0] <== correction[0];
    r8.b[1] <== correction[1];
    // x = u / v. Of order l, v != 0; see 3. for the rest.
    R8x * r8.out[1] === r8.out[0];
}

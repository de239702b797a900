pragma circom 2.1.6;

include "../field/eddsa.circom";

// EdDSAPoseidonCheck (field/eddsa.circom) that also shows its challenge. The same constraints, for the same reasons; they
// stand there. It is a file of its own because the old batch circuits include that one: a change there is a change of
// all their keys.
//
// Inputs:      as EdDSAPoseidonCheck. Outputs: challenge = H[0](R8x, R8y, keyX, keyY, M).
// Assumes, ensures: as EdDSAPoseidonCheck; challenge fixes R8, the key and M, since the hash is collision-resistant.
// Constraints: 2,792.
template SignatureWithChallenge() {
    signal input keyX;
    signal input keyY;
    signal input R8x;
    signal input R8y;
    signal input S;
    signal input M;
    signal output challenge;

    component hash = HashTagged(5, 0);
    hash.in[0] <== R8x;
    hash.in[1] <== R8y;
    hash.in[2] <== keyX;
    hash.in[3] <== keyY;
    hash.in[4] <== M;
    challenge <== hash.out;
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
    component byChallenge = NegatedScalarMul();
    byChallenge.point[0] <== double[2].outU;
    byChallenge.point[1] <== double[2].outV;
    byChallenge.scalar <== hash.out;
    component byBase = FixedBaseMul();
    byBase.scalar <== S;
    component sum = UnsafeMontgomeryAdd();
    sum.a <== byBase.out;
    sum.b <== byChallenge.out;
    var correction[2] = EDDSA_CORRECTION();
    component r8 = UnsafeMontgomeryAdd();
    r8.a <== sum.out;
    r8.b[0] <== correction[0];
    r8.b[1] <== correction[1];
    R8x * r8.out[1] === r8.out[0];
    R8y * (r8.out[0] + 1) === r8.out[0] - 1;
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Groth16 proofs of several circuits over BN254, checked in one pairing
/// @notice Every circuit has three public inputs, in this order: the commitment C, the evaluation y and the challenge z of
/// docs/reference/ledger.md. Batches with a blob have two more: the halves of the blob's value at z (docs/explanation/data-availability.md). All registered circuits share alpha and beta, and gamma is the generator of G2.
/// Points of G2 are written as the EVM's pairing reads them: the imaginary coordinate first.
/// @dev Assumes that each key comes from an honest setup: whoever knows the discrete logarithm of delta can forge.
/// That two deltas are independent cannot be checked here; only equal ones are refused.
interface IBatchVerifier {
    /// @param ic Six points: the constant, then the factors of C, y, z and of the halves of the blob's value, the lower one
    /// first. The last two are (0, 0) where the circuit's batches have no blob.
    struct VerifyingKey {
        uint256[2] alpha;
        uint256[2][2] beta;
        uint256[2][2] delta;
        uint256[2][6] ic;
    }

    /// @param sort What the circuit proves, and so what its sizes are:
    /// - 0, a batch: size0 narrow slots, an even number since two share an element; size1 wide slots, never 0, or the queue
    ///   could be ignored with such a circuit;
    /// - 1, a sampled settlement of a model of one shard: size0 payments at most in an epoch, size1 payees of its table;
    /// - 2, a default split or an activation of one shard: size0 is 0, size1 payees of the shard;
    /// - 3, an exit: of a leaf's balance with sizes 0 and 0, of a payee's part with size0 1, size1 payees of the shard;
    /// - 4, the draws of a model of several shards: size0 payments at most in an epoch, size1 shards at most, 2 to 8;
    /// - 5, one shard by draws: size0 is 0, size1 payees of the shard.
    /// @param tableSizes Of a batch the sizes of its leaf table (docs/explanation/leaf-table.md, "On L1"), never 0; of all others 0. The
    /// contract looks at bit 45: the narrow slots stand in a blob (docs/explanation/data-availability.md). It keeps the rest for those who derive keys.
    /// @param isDevelopment The setup's secret is known to somebody: accepted on chain 31337 only.
    struct CircuitConfig {
        uint8 sort;
        uint16 size0;
        uint16 size1;
        uint64 tableSizes;
        bool isDevelopment;
        VerifyingKey key;
    }

    /// @param circuitId See docs/reference/settlement.md; a part of every challenge, so that a proof serves one circuit only.
    struct Circuit {
        uint8 sort;
        uint16 size0;
        uint16 size1;
        uint64 tableSizes;
        bool isDevelopment;
        bytes32 circuitId;
        VerifyingKey key;
    }

    /// @dev Groth16 proofs can be altered without losing validity: nothing may be keyed on their bytes.
    struct Proof {
        uint256[2] a;
        uint256[2][2] b;
        uint256[2] c;
    }

    /// @notice What one proof says: the circuit's index and its public inputs. The last two are the blob's value at the
    /// challenge, low + 2^128 high, and mean nothing where the circuit's batches have no blob.
    struct Statement {
        uint8 circuit;
        uint256 commitment;
        uint256 evaluation;
        uint256 challenge;
        uint256 blobLow;
        uint256 blobHigh;
    }

    /// @notice No circuit, or more than `maxCount`.
    error VerifierCircuitCountInvalid(uint256 count, uint256 maxCount);
    /// @notice An unknown sort, or sizes that its circuits cannot have.
    error VerifierShapeInvalid(uint256 circuit, uint8 sort, uint16 size0, uint16 size1);
    /// @notice Keys whose secrets are known are for the chain 31337 alone.
    error VerifierDevelopmentKey(uint256 circuit, uint256 chainId);
    /// @notice The circuit's alpha or beta differs from the first circuit's.
    error VerifierKeyNotShared(uint256 circuit);
    /// @notice Two circuits have one delta: a proof of one could be turned into a proof of the other.
    error VerifierDeltaShared(uint256 circuit, uint256 otherCircuit);
    /// @notice A point of the key is off its curve, outside its group, at infinity, or delta is gamma.
    error VerifierKeyInvalid(uint256 circuit);
    /// @notice The data contract with the keys could not be created.
    error VerifierKeyStoreFailed();
    error VerifierCircuitUnknown(uint256 circuit, uint256 circuitCount);
    error VerifierCountMismatch(uint256 statementCount, uint256 proofCount);
    /// @notice A public input is not below the field's order. `input` is 0 for C, 1 for y, 2 for z; 3 and
    /// 4 for a half of the blob's value that has more than 128 bits.
    error VerifierInputOutOfField(uint256 proofIndex, uint256 input, uint256 value);
    /// @notice A precompile refused a point of a proof (off its curve, outside its group or a coordinate too large),
    /// or ran out of gas.
    error VerifierPointInvalid();
    /// @notice At least one of the proofs is not a proof of its statement.
    error VerifierProofRejected();

    function circuitCount() external view returns (uint256);

    function circuits(uint256 index) external view returns (Circuit memory);

    /// @notice Whether any registered circuit has a key from a development setup.
    function isDevelopment() external view returns (bool);

    /// @notice Returns if every proof is valid and reverts otherwise, whatever the reason; it has no result that a
    /// caller could forget to look at.
    function verifyProofs(Statement[] calldata statements, Proof[] calldata proofs) external view;
}

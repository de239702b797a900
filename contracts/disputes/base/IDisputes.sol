// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title What is committed of a model, and what the registry and its judges say of it
/// @notice docs/explanation/disputes.md says what each object is, and which statements have no challenge.
interface IDisputes {
    /// @param modelId The ledger's.
    /// @param staticsHash Of the model: what its datanet approves.
    /// @param rowsRoot Of the datanet's version, as the ledger has it.
    /// @param answering SHA-256 of the answering files, mod r. The statics have H[CHALLENGED](answering, rules), where
    /// rules is bucketCount | decay << 16 | sharesDuplicates << 80 | clipQuantile << 81 | damping << 145 | base << 208.
    /// @param ownersCommitment With the next three, what the statics open to besides features.
    /// @param rowCount N, at most 2,048.
    /// @param bucketCount D, at most 4,096: those that terms fall on.
    /// @param columnCount Of the registered matrix: its kind says how many.
    /// @param decay λ of the training, times 2^40.
    /// @param clipLength No row is longer, in units of the matrix; 0 for no limit.
    /// @param clipQuantile Of the rows' lengths, which the clip's length is; times 2^40, 2^40 for no limit.
    /// @param sharesDuplicates Whether near-duplicates share one reward; else every row leads itself.
    /// @param rows Tree of the contents' SHA-256.
    /// @param tokens Tree of token lists: bucket and count, two bytes each, ascending.
    /// @param facts Tree of 32 bytes a row: factor 8, residual 8, pull 8, length 4, leader 4.
    /// @param features Tree of the matrix' rows.
    /// @param map Tree of what the matrix is made of beside the rows: its kind says what.
    /// @param inputs Tree of the columns of the token lists: row and count, two bytes each.
    /// @param weights Tree of one leaf: D + 1 int64 of 2^-40, the logit's.
    /// @param columns Tree of the matrix' columns.
    /// @param points Tree of the registered column commitments: u and v, 32 bytes each, fifteen a leaf.
    struct Statement {
        uint24 modelId;
        uint256 staticsHash;
        uint256 rowsRoot;
        uint256 answering;
        uint256 ownersCommitment;
        uint256 payeeRoot;
        uint256 binding;
        uint256 split;
        uint32 rowCount;
        uint32 bucketCount;
        uint16 columnCount;
        uint64 decay;
        uint32 clipLength;
        uint64 clipQuantile;
        bool sharesDuplicates;
        bytes32 rows;
        bytes32 tokens;
        bytes32 facts;
        bytes32 features;
        bytes32 map;
        bytes32 inputs;
        bytes32 weights;
        bytes32 columns;
        bytes32 points;
    }

    /// @notice A datanet's leaf in the ledger, besides what the statement says of it (docs/reference/ledger.md, "State").
    /// @param fields nonce, l1Owner, keyX, balance, chain, openAmount, counters.
    struct DatanetLeaf {
        uint256[7] fields;
        uint256 publishedAt;
        uint256 policy;
    }

    /// @notice A leaf's bytes, and the other halves on its way to the root, from below.
    struct Opening {
        bytes data;
        bytes32[] path;
    }

    struct LeafPlace {
        Tree tree;
        uint256 index;
    }

    /// @param facts All leaves of that tree, in their order.
    /// @param leaves Those that the family's first judge names, in its order.
    struct PostedLeaves {
        bytes facts;
        ShownLeaf[] leaves;
    }

    /// @param holders Of a row: its contributor and its validator. @param versionPath Of a row: all children on the way from it
    /// to the version's root, row's level first. Of any other leaf it is empty.
    struct ShownLeaf {
        Tree tree;
        uint256 index;
        Opening leaf;
        uint256[2] holders;
        uint256[8][] versionPath;
    }

    /// @notice What a challenge showed to be wrong.
    enum Fault {
        Entry,
        Tokens,
        Residual,
        RowLength,
        Lengths,
        Factor,
        Input,
        Optimum,
        RowTooLong,
        Unanswered,
        Cell,
        Point,
        Statics,
        VersionRow,
        Clip,
        Duplicate,
        // Of direct models.
        Size,
        Curvature,
        Inverse,
        Logit,
        Peak,
        Digest,
        // Of language models.
        Scale,
        Row
    }

    /// @notice The statement's trees. A row's leaf is the SHA-256 of its content; who opens it shows the content.
    enum Tree {
        Rows,
        Tokens,
        Facts,
        Features,
        Map,
        Inputs,
        Weights,
        Columns,
        Points
    }

    /// @param rollup In whose state the rows are. @param family By whose rules it is judged.
    event ModelCommitted(
        uint256 indexed id,
        uint256 indexed modelId,
        address indexed owner,
        Statement statement,
        uint256 bondWei,
        uint256 endsAt,
        address rollup,
        uint8 family
    );
    /// @notice What was shown with the model commitment.
    event LeavesPosted(uint256 indexed id, PostedLeaves posted);
    event Refuted(uint256 indexed id, address indexed challenger, Fault fault, uint256 place, uint256 rewardWei);
    event BondReturned(uint256 indexed id, address indexed owner, uint256 amountWei);
    /// @param feeWei 0 of what was asked for without a fee.
    event AvailabilityChallenged(
        uint256 indexed id, Tree tree, uint256 index, address indexed who, uint256 answerBy, uint256 feeWei
    );
    /// @param path As it opened: which halves of the tree hold what nobody publishes. @param holders, versionPath As ShownLeaf.
    event Answered(
        uint256 indexed id,
        Tree tree,
        uint256 index,
        bytes data,
        bytes32[] path,
        uint256[2] holders,
        uint256[8][] versionPath
    );
    event Withdrawn(address indexed who, uint256 amountWei);
    /// @notice The rollup may take this Activation. @param id UNCHALLENGED, with rollup 0, where the model is registered as one
    /// that has no challenges.
    event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id);

    /// @notice A family without judges, or whose first one has other rules; or there is no such family.
    error DisputesFamilyInvalid(uint256 family);
    /// @notice Only the games refute rows, and only those that are about this registry's rows.
    error DisputesGamesInvalid();
    /// @notice The rollup's model is not registered with these statics and this trace.
    error DisputesModelUnregistered(address rollup, uint256 modelId);
    /// @notice The judge has no such function.
    error DisputesJudgeUnknown(uint256 judge);
    error DisputesWindowTooShort(uint256 seconds_, uint256 least);
    error DisputesBondTooSmall(uint256 givenWei, uint256 leastWei);
    /// @notice Sizes that no row arithmetic here can speak of, numbers outside their range, or a binding of other sizes.
    error DisputesStatementInvalid();
    /// @notice The statics are not those of a model with challenges by the statement's rules.
    error DisputesStaticsInvalid();
    /// @notice Constants that its challenges need are not stored yet (LedgerMath.storeChunk).
    error DisputesConstantsMissing(address math);
    /// @notice The path leads to another root than the version's, or than the rollup's state.
    error DisputesRootMismatch(uint256 expected, uint256 actual);
    error DisputesUnknown(uint256 id);
    /// @notice The given statement is not the one that was posted.
    error DisputesOtherStatement(uint256 id);
    error DisputesOver(uint256 id);
    error DisputesNotOver(uint256 id);
    error DisputesAlreadyRefuted(uint256 id);
    /// @notice The bytes do not open the root at this place.
    error DisputesOpeningInvalid(Tree tree, uint256 index);
    /// @notice What was shown is right.
    error DisputesNothingWrong(Fault fault, uint256 place);
    error DisputesFeeWrong(uint256 givenWei, uint256 neededWei);
    /// @notice Data-availability challenges end two answering times before the window does: what is answered can still be challenged.
    error DisputesAvailabilityChallengeTooLate(uint256 latest);
    /// @notice It is asked for with a fee, or was shown: a leaf is shown once.
    error DisputesAlreadyAvailabilityChallenged(Tree tree, uint256 index);
    /// @notice Somebody has asked for its last leaves before.
    error DisputesAlreadyRequested(uint256 id);
    error DisputesNoAvailabilityChallenge(Tree tree, uint256 index);
    error DisputesNothingToWithdraw(address who);
    /// @notice The address does not take what it is owed.
    error DisputesPaymentRefused(address who);
}

// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Whether a model's features belong to its rows: a window in which anyone shows one wrong place
/// @notice docs/explanation/disputes.md says what each object is, and which statements have no challenge.
///
/// A model's owner posts what the model is made of, as roots, with a bond. Until the window ends anyone may show one place
/// that is wrong, in one transaction. Then the model commitment is refuted for good: half of its bond is the challenger's, the
/// other half is burned. The other half is what a liar loses who challenges himself. A model commitment counts once its window
/// has ended without that, and without a data-availability challenge that nobody has answered.
///
/// What it assumes: one honest party recomputes the model in time, and L1 takes its transaction.
/// What a model commitment says of the ledger is tied to it: points and rules hash to `staticsHash`, rows to `rowsRoot`, and
/// `commitModel` shows that root in the rollup's state: no window passes for rows that the ledger does not have yet. So a rollup
/// can ask `admits` before it takes a model's Activation.
interface IDisputes {
    /// @param modelId The ledger's.
    /// @param staticsHash Of the model: what its datanet approves.
    /// @param rowsRoot Of the datanet's version, as the ledger has it.
    /// @param answering SHA-256 of the answering files, mod r. The statics have H[CHALLENGED](answering, rules), where
    /// rules is bucketCount | decay << 16 | sharesDuplicates << 80 | clipQuantile << 81 | damping << 145.
    /// @param ownersCommitment With the next three, what the statics open to besides features.
    /// @param rowCount N, at most 2,048.
    /// @param bucketCount D, at most 4,096.
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
    /// @param points Tree of the registered column commitments: u and v, 32 bytes each.
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
        // Of direct models: DirectJudge and DirectTies.
        Size,
        Curvature,
        Inverse,
        Logit,
        Peak,
        Digest,
        // Of language models: TextDisputes and its judges.
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

    /// @param rollup In whose state the rows are.
    event ModelCommitted(
        uint256 indexed id,
        uint256 indexed modelId,
        address indexed owner,
        Statement statement,
        uint256 bondWei,
        uint256 endsAt,
        address rollup
    );
    event Refuted(uint256 indexed id, address indexed challenger, Fault fault, uint256 place, uint256 rewardWei);
    event BondReturned(uint256 indexed id, address indexed owner, uint256 amountWei);
    /// @notice Somebody says that he has recomputed all of it and found nothing wrong. Proves nothing.
    event Attested(uint256 indexed id, address indexed who);
    event AvailabilityChallenged(uint256 indexed id, Tree tree, uint256 index, address indexed who, uint256 answerBy);
    event Answered(uint256 indexed id, Tree tree, uint256 index, bytes data);
    event Withdrawn(address indexed who, uint256 amountWei);
    /// @notice The rollup may take this Activation. @param id UNCHALLENGED, with rollup 0, where the model is registered as one
    /// that has no challenges.
    event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id);

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
    error DisputesAlreadyAvailabilityChallenged(Tree tree, uint256 index);
    error DisputesNoAvailabilityChallenge(Tree tree, uint256 index);
    error DisputesNothingToWithdraw(address who);
    /// @notice The address does not take what it is owed.
    error DisputesPaymentRefused(address who);

    /// @notice Posts a model, and shows that `rowsRoot` is that of the datanet's version in the rollup's latest state. It
    /// fails where a batch came between; then it is sent again. Several model commitments of one model may stand side by side: a
    /// stranger's false one hurts nobody.
    /// @param rollup Whose Activation it is for. Nobody asks whether it is one: a model commitment counts for this address alone.
    /// @param path All children on the way from the datanet's leaf to the root.
    /// @return id 1, 2, …
    function commitModel(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) external payable returns (uint256 id);

    /// @notice The row's length is not the root of its entries' squares, rounded down.
    function challengeRowLength(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        Opening calldata fact,
        Opening calldata features
    ) external;

    /// @notice A row is longer than ten average ones, or than the clip allows. @param facts All leaves, in their order.
    function challengeLengths(uint256 id, Statement calldata statement, bytes calldata facts) external;

    /// @notice A row's factor is neither one over its cluster's size nor what cuts it to the clip's length.
    function challengeFactor(uint256 id, Statement calldata statement, uint256 row, bytes calldata facts) external;

    /// @notice The clip's length is not the quantile of the rows' lengths: it cuts more rows than are above, or fewer are as
    /// long. Off by one row, and by what rounding adds to a row. @param facts All leaves, in their order.
    function challengeClip(uint256 id, Statement calldata statement, bytes calldata facts) external;

    /// @notice Where near-duplicates share: the row's leader is not the most similar one before it. `other` is the posted
    /// leader, which is no near-duplicate; or an earlier leader that is one, and more similar than the posted.
    /// @param leaderContent Of the posted leader, where it is neither the row nor `other`; else empty.
    function challengeDuplicate(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 other,
        Opening calldata content,
        Opening calldata fact,
        Opening calldata otherContent,
        Opening calldata otherFact,
        Opening calldata leaderContent
    ) external;

    /// @notice Row's token list and bucket's column differ about how often the one has the other.
    function challengeInput(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 bucket,
        Opening calldata tokens,
        Opening calldata column
    ) external;

    /// @notice The loss's derivative by a weight is further from 0 than 2^-18. @param bucket D for the bias.
    function challengeOptimum(
        uint256 id,
        Statement calldata statement,
        uint256 bucket,
        bytes calldata weights,
        bytes calldata facts,
        Opening calldata column
    ) external;

    /// @notice A row is too long for one transaction: no such model can be posted.
    function challengeRowTooLong(uint256 id, Statement calldata statement, uint256 row, Opening calldata content)
        external;

    /// @notice Row and column of G differ about the entry where they cross, or the column has not N entries.
    function challengeCell(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 column,
        Opening calldata features,
        Opening calldata entries
    ) external;

    /// @notice The column's commitment is not that of its entries, or no point in canonical form.
    function challengePoint(
        uint256 id,
        Statement calldata statement,
        uint256 column,
        Opening calldata entries,
        Opening calldata point
    ) external;

    /// @notice The posted row is not the version's at this place.
    /// @param digest The posted leaf: SHA-256 of the content. @param path Its keccak path.
    /// @param rowHash With contributor and validator, the version's row. @param versionPath All children, row's level first.
    function challengeVersionRow(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        bytes32 digest,
        bytes32[] calldata path,
        uint256[3] calldata rowHash,
        uint256[8][] calldata versionPath
    ) external;

    /// @notice Lets the model commitment's rollup take the Activation of a model whose model commitment counts. Open to all.
    /// The statics have to open as those of a model with challenges: one of another kind, a traced language model say, is
    /// never admitted here, whatever was posted of it.
    /// @param cap Most payments of an epoch, which the Activation states. @param columns Commitment to the model's columns.
    /// @param damping λ of a direct model's inverse, times 2^40; 0 for other models.
    function admit(uint256 id, Statement calldata statement, uint256 cap, uint256 columns, uint256 damping) external;

    /// @notice Lets every rollup take the Activation of a model that is registered as one without challenges: its answering
    /// hash is a SHA-256. Open to all: its statics said so when it was created.
    /// @param preimage What the SHA-256 is of. @param parts columnsCommitment, ownersCommitment, payeeRoot, binding, split.
    function admitUnchallenged(uint24 modelId, bytes calldata preimage, uint256[5] calldata parts, uint256 cap) external;

    /// @notice Whether the calling rollup may take the Activation of this model with this word J.
    function admits(uint256 modelId, uint256 word) external view returns (bool);

    /// @notice By which model commitment a rollup may take it; 0 for none. UNCHALLENGED stands under rollup 0.
    function admissions(address rollup, uint256 modelId, uint256 word) external view returns (uint256 id);

    function UNCHALLENGED() external view returns (uint256);

    /// @notice Reads and compares rows' texts: RowTexts.
    function texts() external view returns (address);

    /// @notice Computes what the ledger does: LedgerMath.
    function math() external view returns (address);

    /// @notice Asks for a leaf that is not published. The fee pays who answers; unanswered it refutes, and comes back.
    function challengeAvailability(uint256 id, Tree tree, uint256 index) external payable;

    /// @notice Shows a challenged leaf, in an event. Open to all.
    function answer(uint256 id, Statement calldata statement, Tree tree, uint256 index, Opening calldata leaf) external;

    /// @notice Refutes a model commitment whose challenged leaf nobody has shown in time, and gives the fee back. Of a model commitment that
    /// is refuted already it gives the fee back.
    function challengeUnanswered(uint256 id, Tree tree, uint256 index) external;

    /// @notice Says that one has recomputed it. Anyone may; it proves nothing.
    function attest(uint256 id) external;

    /// @notice Gives the bond back once a model commitment counts.
    function returnBond(uint256 id) external;

    /// @notice Pays what is owed to an address. Open to all.
    function withdraw(address payable who) external;

    /// @notice Whether the window has ended, nothing wrong was shown and no data-availability challenge is open.
    function counts(uint256 id) external view returns (bool);

    function modelCommitments(uint256 id)
        external
        view
        returns (
            address owner,
            uint64 endsAt,
            bool isRefuted,
            uint96 bondWei,
            uint32 openAvailabilityChallenges,
            bytes32 statementHash,
            address rollup
        );

    /// @notice How many model commitments there are.
    function modelCommitmentCount() external view returns (uint256);

    function owedWei(address who) external view returns (uint256);

    function windowSeconds() external view returns (uint256);

    /// @notice Seconds that an owner has to show what was challenged.
    function ANSWER_SECONDS() external view returns (uint256);

    /// @notice Shortest window that can be deployed: time to challenge, to answer and to challenge.
    function LEAST_WINDOW_SECONDS() external view returns (uint256);

    function leastBondWei() external view returns (uint256);

    function availabilityChallengeFeeWei() external view returns (uint256);
}

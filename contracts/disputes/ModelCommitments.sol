// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {LedgerMath} from "./LedgerMath.sol";
import {Openings} from "./Openings.sol";
import {PoseidonHash} from "./PoseidonHash.sol";
import {RowArithmetic} from "./RowArithmetic.sol";

/// @title Model commitments, their window, their bonds and what is challenged of them
/// @dev Documentation is in IDisputes. Holds exactly: bonds of model commitments that are neither refuted nor returned, fees of
/// data-availability challenges that are neither answered nor given back, and what is owed.
abstract contract ModelCommitments is IDisputes {
    /// @inheritdoc IDisputes
    uint256 public constant ANSWER_SECONDS = 1 days;
    /// @inheritdoc IDisputes
    uint256 public constant LEAST_WINDOW_SECONDS = 3 days;
    /// @dev What one transaction can be shown of: 2^24 gas (EIP-7825), and 128 KiB, of which nodes take no more.
    uint256 private constant MOST_ROWS = 2_048;
    uint256 private constant MOST_BUCKETS = 4_096;
    uint256 private constant MOST_COLUMNS = 384;
    uint256 private constant LEAST_CLIP_SLACKS = 8;
    /// @dev No right leaf is longer: a row of the map has a number a bucket, and one for the bias.
    uint256 private constant MOST_LEAF_BYTES = 8 * (MOST_BUCKETS + 1);

    struct ModelCommitment {
        address owner;
        uint64 endsAt;
        bool isRefuted;
        /// @dev 0 once it was returned or forfeited.
        uint96 bondWei;
        uint32 openAvailabilityChallenges;
        bytes32 statementHash;
        /// @dev In whose state the rows are, and which may take the model's Activation.
        address rollup;
    }

    struct AvailabilityChallenge {
        address who;
        uint64 answerBy;
    }

    /// @inheritdoc IDisputes
    uint256 public immutable windowSeconds;
    /// @inheritdoc IDisputes
    uint256 public immutable leastBondWei;
    /// @inheritdoc IDisputes
    uint256 public immutable availabilityChallengeFeeWei;
    LedgerMath internal immutable _math;

    /// @inheritdoc IDisputes
    uint256 public modelCommitmentCount;
    /// @inheritdoc IDisputes
    mapping(uint256 id => ModelCommitment) public modelCommitments;
    /// @inheritdoc IDisputes
    mapping(address who => uint256) public owedWei;
    mapping(uint256 id => mapping(Tree => mapping(uint256 index => AvailabilityChallenge))) internal _availabilityChallenges;

    constructor(uint256 windowSeconds_, uint256 leastBondWei_, uint256 availabilityChallengeFeeWei_, LedgerMath math_) {
        if (windowSeconds_ < LEAST_WINDOW_SECONDS) {
            revert DisputesWindowTooShort(windowSeconds_, LEAST_WINDOW_SECONDS);
        }
        windowSeconds = windowSeconds_;
        leastBondWei = leastBondWei_;
        availabilityChallengeFeeWei = availabilityChallengeFeeWei_;
        _math = math_;
    }

    /// @inheritdoc IDisputes
    function math() external view returns (address) {
        return address(_math);
    }

    /// @inheritdoc IDisputes
    function commitModel(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) external payable returns (uint256 id) {
        if (msg.value < leastBondWei || msg.value > type(uint96).max) {
            revert DisputesBondTooSmall(msg.value, leastBondWei);
        }
        if (
            statement.rowCount == 0 || statement.rowCount > MOST_ROWS || statement.bucketCount == 0
                || statement.bucketCount > MOST_BUCKETS || !_hasColumns(statement) || !_isInRange(statement)
        ) revert DisputesStatementInvalid();
        if (!_math.isReady(statement.rowCount)) revert DisputesConstantsMissing(address(_math));
        _requireVersion(statement, rollup, leaf, path);
        id = ++modelCommitmentCount;
        uint256 endsAt = block.timestamp + windowSeconds;
        // Narrowing casts: 2^64 seconds do not come, the bond was compared.
        modelCommitments[id] = ModelCommitment({
            owner: msg.sender,
            endsAt: uint64(endsAt),
            isRefuted: false,
            bondWei: uint96(msg.value),
            openAvailabilityChallenges: 0,
            statementHash: keccak256(abi.encode(statement)),
            rollup: rollup
        });
        emit ModelCommitted(id, statement.modelId, msg.sender, statement, msg.value, endsAt, rollup);
    }

    /// @inheritdoc IDisputes
    function challengeAvailability(uint256 id, Tree tree, uint256 index) external payable {
        ModelCommitment storage modelCommitment = _open(id);
        if (msg.value != availabilityChallengeFeeWei) revert DisputesFeeWrong(msg.value, availabilityChallengeFeeWei);
        uint256 latest = modelCommitment.endsAt - 2 * ANSWER_SECONDS;
        if (block.timestamp >= latest) revert DisputesAvailabilityChallengeTooLate(latest);
        AvailabilityChallenge storage availabilityChallenged = _availabilityChallenges[id][tree][index];
        if (availabilityChallenged.who != address(0)) revert DisputesAlreadyAvailabilityChallenged(tree, index);
        (availabilityChallenged.who, availabilityChallenged.answerBy) = (msg.sender, uint64(block.timestamp + ANSWER_SECONDS));
        modelCommitment.openAvailabilityChallenges++;
        emit AvailabilityChallenged(id, tree, index, msg.sender, availabilityChallenged.answerBy);
    }

    /// @inheritdoc IDisputes
    function answer(uint256 id, Statement calldata statement, Tree tree, uint256 index, Opening calldata leaf)
        external
    {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        address who = _availabilityChallenges[id][tree][index].who;
        if (who == address(0)) revert DisputesNoAvailabilityChallenge(tree, index);
        (, uint256 count) = _treeOf(statement, tree);
        // Nobody can show what is not there: a data-availability challenge for it is answered by its number.
        if (index < count) _requireOpening(statement, tree, index, leaf);
        // Attack: a leaf that fits into an answer, and beside the other leaves into no challenge.
        if (leaf.data.length > MOST_LEAF_BYTES) revert DisputesOpeningInvalid(tree, index);
        delete _availabilityChallenges[id][tree][index];
        modelCommitment.openAvailabilityChallenges--;
        owedWei[msg.sender] += availabilityChallengeFeeWei;
        emit Answered(id, tree, index, leaf.data);
    }

    /// @inheritdoc IDisputes
    function challengeUnanswered(uint256 id, Tree tree, uint256 index) external {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        AvailabilityChallenge memory availabilityChallenged = _availabilityChallenges[id][tree][index];
        if (availabilityChallenged.who == address(0)) revert DisputesNoAvailabilityChallenge(tree, index);
        if (!modelCommitment.isRefuted) {
            if (block.timestamp <= availabilityChallenged.answerBy) revert DisputesNotOver(id);
            _refute(id, modelCommitment, availabilityChallenged.who, Fault.Unanswered, index);
        }
        delete _availabilityChallenges[id][tree][index];
        modelCommitment.openAvailabilityChallenges--;
        owedWei[availabilityChallenged.who] += availabilityChallengeFeeWei;
    }

    /// @inheritdoc IDisputes
    function attest(uint256 id) external {
        _open(id);
        emit Attested(id, msg.sender);
    }

    /// @inheritdoc IDisputes
    function returnBond(uint256 id) external {
        if (!counts(id)) revert DisputesNotOver(id);
        ModelCommitment storage modelCommitment = modelCommitments[id];
        uint256 amountWei = modelCommitment.bondWei;
        if (amountWei == 0) revert DisputesNothingToWithdraw(modelCommitment.owner);
        modelCommitment.bondWei = 0;
        owedWei[modelCommitment.owner] += amountWei;
        emit BondReturned(id, modelCommitment.owner, amountWei);
    }

    /// @inheritdoc IDisputes
    function withdraw(address payable who) external {
        uint256 amountWei = owedWei[who];
        if (amountWei == 0) revert DisputesNothingToWithdraw(who);
        owedWei[who] = 0;
        emit Withdrawn(who, amountWei);
        _pay(who, amountWei);
    }

    /// @inheritdoc IDisputes
    function counts(uint256 id) public view virtual returns (bool) {
        ModelCommitment storage modelCommitment = modelCommitments[id];
        return modelCommitment.owner != address(0) && !modelCommitment.isRefuted && modelCommitment.openAvailabilityChallenges == 0
            && block.timestamp >= modelCommitment.endsAt;
    }

    /// @dev The datanet's version in the rollup's latest state has these rows.
    function _requireVersion(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) internal view virtual;

    /// @dev A model commitment that can still be refuted. An open data-availability challenge keeps it so beyond its window.
    function _open(uint256 id) internal view returns (ModelCommitment storage modelCommitment) {
        modelCommitment = modelCommitments[id];
        if (modelCommitment.owner == address(0)) revert DisputesUnknown(id);
        if (modelCommitment.isRefuted) revert DisputesAlreadyRefuted(id);
        if (counts(id)) revert DisputesOver(id);
    }

    function _hasColumns(Statement calldata statement) internal pure virtual returns (bool) {
        uint256 columnCount = statement.columnCount;
        return columnCount != 0 && columnCount <= MOST_COLUMNS && statement.binding >> 115 == columnCount;
    }

    /// @dev The same, where the statement is what was posted.
    function _stated(uint256 id, Statement calldata statement) internal view returns (ModelCommitment storage modelCommitment) {
        modelCommitment = _open(id);
        _requireStated(id, statement);
    }

    function _requireStated(uint256 id, Statement calldata statement) internal view {
        bytes32 posted = modelCommitments[id].statementHash;
        if (posted == 0) revert DisputesUnknown(id);
        if (keccak256(abi.encode(statement)) != posted) revert DisputesOtherStatement(id);
    }

    /// @dev Attack: an owner who sees a challenge coming challenges himself first. He gets half of his bond back.
    function _refute(uint256 id, ModelCommitment storage modelCommitment, address challenger, Fault fault, uint256 place) internal {
        uint256 bondWei = modelCommitment.bondWei;
        uint256 rewardWei = bondWei / 2;
        modelCommitment.isRefuted = true;
        modelCommitment.bondWei = 0;
        owedWei[challenger] += rewardWei;
        emit Refuted(id, challenger, fault, place, rewardWei);
        _pay(payable(address(0)), bondWei - rewardWei);
    }

    /// @dev Attack: a number and the same plus r are one element to the hash. As a binding it has other sizes; as a root of
    /// rows no path leads to it.
    /// Attack: where the clip is as short as what rounding adds to a row, every row passes for one that was cut to it, with
    /// any factor. A G in int8 has an entry of 127, so an honest clip is longer.
    function _isInRange(Statement calldata statement) private pure returns (bool) {
        uint256 binding = statement.binding;
        uint256 clip = statement.clipLength;
        return (clip == 0 || clip >= LEAST_CLIP_SLACKS * _slack(statement)) && statement.staticsHash < PoseidonHash.R && statement.rowsRoot < PoseidonHash.R
            && statement.answering < PoseidonHash.R && statement.ownersCommitment < PoseidonHash.R
            && statement.payeeRoot < PoseidonHash.R && binding >> 127 == 0 && statement.split >> 32 == 0
            && uint32(binding >> 56) == statement.rowCount;
    }

    /// @dev The root of a tree and how many leaves it has, as this kind of models has them.
    function _treeOf(Statement calldata statement, Tree tree)
        internal
        pure
        virtual
        returns (bytes32 root, uint256 count);

    function _requireOpening(Statement calldata statement, Tree tree, uint256 index, Opening calldata leaf)
        internal
        pure
    {
        bytes32 hash = tree == Tree.Rows ? Openings.rowLeaf(leaf.data) : Openings.leafOf(leaf.data);
        _requireLeaf(statement, tree, index, hash, leaf.path);
    }

    function _requireLeaf(
        Statement calldata statement,
        Tree tree,
        uint256 index,
        bytes32 hash,
        bytes32[] calldata path
    ) internal pure {
        (bytes32 root, uint256 count) = _treeOf(statement, tree);
        if (!Openings.opens(root, count, index, hash, path)) revert DisputesOpeningInvalid(tree, index);
    }

    /// @dev How far a row of integers can be from the real one: half a unit an entry, and roundings of the two lengths.
    function _slack(Statement calldata statement) internal pure returns (uint256) {
        return RowArithmetic.root(statement.columnCount) / 2 + 2;
    }

    function _pay(address payable who, uint256 amountWei) private {
        (bool isPaid,) = who.call{value: amountWei}("");
        if (!isPaid) revert DisputesPaymentRefused(who);
    }
}

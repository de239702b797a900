// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {LedgerMath} from "./LedgerMath.sol";
import {Openings} from "./Openings.sol";
import {PoseidonHash} from "./PoseidonHash.sol";
import {IDisputes} from "./IDisputes.sol";
import {ModelCommitments} from "./ModelCommitments.sol";

/// @dev The rollup's state, of which the root comes first.
interface ILedgerRoot {
    function state() external view returns (uint256 root);
}

/// @title What ties a model commitment to the ledger, and which models a rollup may take
/// @dev Documentation is in IDisputes. G's rows are tied to its columns, these to points, these to the statics; the posted
/// rows to the version's root, and that root to a rollup's state.
abstract contract LedgerTies is ModelCommitments {
    /// @inheritdoc IDisputes
    uint256 public constant UNCHALLENGED = type(uint256).max;

    // Tags and packings of docs/reference/ledger.md.
    uint256 private constant NODE = 2;
    uint256 private constant DATANET_BODY = 8;
    uint256 private constant CHALLENGED = 19;
    uint256 private constant VERSION_ROW = 33;
    uint256 private constant VERSION_NODE = 34;
    uint256 private constant DATANET_LEAF = 258;
    uint256 private constant TREE_DEPTH = 8;
    uint256 private constant R = PoseidonHash.R;

    /// @inheritdoc IDisputes
    mapping(address rollup => mapping(uint256 modelId => mapping(uint256 word => uint256 id))) public admissions;

    constructor(uint256 windowSeconds_, uint256 leastBondWei_, uint256 availabilityChallengeFeeWei_, LedgerMath math_)
        ModelCommitments(windowSeconds_, leastBondWei_, availabilityChallengeFeeWei_, math_)
    {}

    /// @inheritdoc IDisputes
    function challengeCell(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        uint256 column,
        Opening calldata features,
        Opening calldata entries
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Features, row, features);
        _requireOpening(statement, Tree.Columns, column, entries);
        bool isRight = features.data.length == statement.columnCount && entries.data.length == statement.rowCount
            && features.data[column] == entries.data[row];
        _judge(id, modelCommitment, isRight, Fault.Cell, row * statement.columnCount + column);
    }

    /// @inheritdoc IDisputes
    function challengePoint(
        uint256 id,
        Statement calldata statement,
        uint256 column,
        Opening calldata entries,
        Opening calldata point
    ) external virtual {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireOpening(statement, Tree.Columns, column, entries);
        _requireOpening(statement, Tree.Points, column, point);
        bool isRight = entries.data.length == statement.rowCount && point.data.length == 64;
        if (isRight) {
            (uint256 u, uint256 v) = abi.decode(point.data, (uint256, uint256));
            isRight = u < R && v < R && _math.isColumn(entries.data, u, v);
        }
        _judge(id, modelCommitment, isRight, Fault.Point, column);
    }

    /// @inheritdoc IDisputes
    function challengeVersionRow(
        uint256 id,
        Statement calldata statement,
        uint256 row,
        bytes32 digest,
        bytes32[] calldata path,
        uint256[3] calldata versionRow,
        uint256[8][] calldata versionPath
    ) external {
        ModelCommitment storage modelCommitment = _stated(id, statement);
        _requireLeaf(statement, Tree.Rows, row, keccak256(abi.encodePacked(bytes1(0), digest)), path);
        uint256[] memory inputs = new uint256[](3);
        for (uint256 i; i < 3; i++) inputs[i] = versionRow[i];
        uint256 root = _math.rootOf(VERSION_NODE, row, _math.hash(VERSION_ROW, inputs), versionPath);
        if (root != statement.rowsRoot) revert DisputesRootMismatch(statement.rowsRoot, root);
        // Attack: rowHash + r opens the same leaf.
        _judge(id, modelCommitment, uint256(digest) % R == versionRow[0] % R, Fault.VersionRow, row);
    }

    function _requireVersion(
        Statement calldata statement,
        address rollup,
        DatanetLeaf calldata leaf,
        uint256[8][] calldata path
    ) internal view virtual override {
        uint256 binding = statement.binding;
        uint256[] memory body = new uint256[](7);
        (body[0], body[1]) = (uint32(binding >> 24), statement.rowCount);
        (body[2], body[3]) = (leaf.publishedAt, leaf.policy);
        (body[4], body[5], body[6]) = (statement.rowsRoot, statement.ownersCommitment, statement.payeeRoot);
        uint256[] memory fields = new uint256[](8);
        for (uint256 i; i < 7; i++) fields[i] = leaf.fields[i];
        fields[7] = _math.hash(DATANET_BODY, body);
        uint256 root = ILedgerRoot(rollup).state();
        uint256 reached = path.length == TREE_DEPTH
            ? _math.rootOf(NODE, uint24(binding), _math.hash(DATANET_LEAF, fields), path)
            : 0;
        if (reached != root || root == 0) revert DisputesRootMismatch(root, reached);
    }

    /// @inheritdoc IDisputes
    function admit(uint256 id, Statement calldata statement, uint256 cap, uint256 columns, uint256 damping) external {
        _requireStated(id, statement);
        if (!counts(id)) revert DisputesNotOver(id);
        // Attack: a model of another kind, which no watcher of this one can read, posted here with a lie about its kind.
        if (!_isStatics(statement, columns, damping)) revert DisputesStaticsInvalid();
        _admit(modelCommitments[id].rollup, id, statement.modelId, statement.staticsHash, cap, statement.payeeRoot);
    }

    /// @inheritdoc IDisputes
    function admitUnchallenged(uint24 modelId, bytes calldata preimage, uint256[5] calldata parts, uint256 cap)
        external
    {
        uint256 statics =
            _math.statics(parts[0], uint256(sha256(preimage)) % R, [parts[1], parts[2], parts[3], parts[4]]);
        _admit(address(0), UNCHALLENGED, modelId, statics, cap, parts[2]);
    }

    /// @inheritdoc IDisputes
    function admits(uint256 modelId, uint256 word) external view returns (bool) {
        return admissions[msg.sender][modelId][word] != 0 || admissions[address(0)][modelId][word] != 0;
    }

    function _judge(uint256 id, ModelCommitment storage modelCommitment, bool isRight, Fault fault, uint256 place) internal {
        if (isRight) revert DisputesNothingWrong(fault, place);
        _refute(id, modelCommitment, msg.sender, fault, place);
    }

    function _admit(address rollup, uint256 id, uint256 modelId, uint256 statics, uint256 cap, uint256 payeeRoot)
        private
    {
        uint256 word = _math.activation(modelId, statics, cap, payeeRoot);
        admissions[rollup][modelId][word] = id;
        emit Admitted(rollup, modelId, word, id);
    }

    /// @dev Whether the statics are those of a model with challenges, by these rules. @param damping 0 but for direct models.
    function _isStatics(Statement calldata statement, uint256 columns, uint256 damping)
        internal
        view
        virtual
        returns (bool)
    {
        uint256 rules = uint256(statement.bucketCount) | uint256(statement.decay) << 16
            | uint256(statement.sharesDuplicates ? 1 : 0) << 80 | uint256(statement.clipQuantile) << 81 | damping << 145;
        return statement.staticsHash
            == _math.markedStatics(
                CHALLENGED,
                columns,
                statement.answering,
                rules,
                [statement.ownersCommitment, statement.payeeRoot, statement.binding, statement.split]
            );
    }
}

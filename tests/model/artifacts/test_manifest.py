import json

import pytest

from model.artifacts.manifest import Manifest

OLD = {
    "format": 1,
    "network": "seed-cnn",
    "side_px": 64,
    "classes": ["cat", "dog"],
    "threshold": 0.75,
    "calibration": {"temperature": 1.25},
    "digest": "ab" * 32,
    "n_weights": 813_217,
    "metrics": {"validation": {"accuracy": 0.85}},
    "data": {"n_images": {"cat": 1, "dog": 1}},
    "split": {"rule": "by content"},
    "parameters": {"epochs": 3},
    "seed": 1,
    "created_at": "2026-01-02T03:04:05+00:00",
    "command": "make pretrained DATA=photographs",
}
NEW = {
    "format": 2,
    "bounds": {"max_wrong": 0.01, "max_unsure": 0.5, "max_taken": 0.1},
    "n_bytes": 3_254_778,
    "who": "ada",
    "code_version": "0.1.0",
    "speed": {"images_per_s": 2310.5, "n_images": 2000, "device": "cpu", "threads": 2},
}


def make_document(**changes):
    return OLD | NEW | changes


def test_a_manifest_comes_back_as_it_went():
    manifest = Manifest.from_json(json.dumps(make_document()))
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert json.loads(manifest.to_json()) == make_document()
    assert manifest.classes == ("cat", "dog")
    assert manifest.temperature == 1.25


def test_the_text_does_not_depend_on_the_order_of_the_fields():
    document = make_document()
    backwards = dict(reversed(document.items()))
    texts = {Manifest.from_json(json.dumps(each)).to_json() for each in (document, backwards)}
    assert len(texts) == 1
    assert texts.pop().endswith("}\n")


@pytest.mark.parametrize("field", sorted(set(make_document()) - {"format"}))
def test_a_missing_field_is_named(field):
    document = make_document()
    del document[field]
    with pytest.raises(ValueError, match=f"missing fields: {field};"):
        Manifest.from_dict(document)


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match="unknown fields: colour"):
        Manifest.from_dict(make_document(colour="red"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network", "resnet"),
        ("network", ["seed-cnn"]),
        ("side_px", 0),
        ("side_px", "64"),
        ("classes", ["dog", "cat"]),
        ("classes", "cat"),
        ("threshold", 1.5),
        ("threshold", True),
        ("threshold", float("nan")),
        ("calibration", {}),
        ("calibration", {"temperature": 0}),
        ("calibration", {"temperature": 1, "bias": 2}),
        ("digest", "AB" * 32),
        ("digest", "ab"),
        ("n_weights", 1.5),
        ("metrics", []),
        ("seed", "one"),
        ("created_at", "yesterday"),
        ("created_at", "2026-01-02T03:04:05"),
        ("created_at", "2026-01-02T03:04:05+02:00"),
        ("command", ""),
        ("bounds", {"max_wrong": 0.01}),
        ("n_bytes", 0),
        ("who", ""),
        ("code_version", 1),
        ("speed", "fast"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field(field, value):
    with pytest.raises(ValueError, match=f"manifest: expected {field} to be "):
        Manifest.from_dict(make_document(**{field: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", b"\xff"])
def test_text_that_is_no_manifest_is_refused(text):
    with pytest.raises(ValueError, match="manifest: expected"):
        Manifest.from_json(text)


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="expected format 1 or 2; got 3"):
        Manifest.from_dict(make_document(format=3))


def test_the_older_format_is_read_and_written_again_as_it_was():
    manifest = Manifest.from_dict(OLD)
    assert (manifest.who, manifest.n_bytes, manifest.speed, manifest.bounds, manifest.code_version) == (None,) * 5
    assert json.loads(manifest.to_json()) == OLD


@pytest.mark.parametrize("field", sorted(set(NEW) - {"format"}))
def test_the_older_format_does_not_have_what_came_later(field):
    with pytest.raises(ValueError, match=f"unknown fields: {field}"):
        Manifest.from_dict(OLD | {field: NEW[field]})

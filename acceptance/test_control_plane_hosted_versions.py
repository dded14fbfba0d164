"""Hosted configuration versions: raw bytes in, raw bytes out, everything else in headers."""

import json
import re

import pytest

from resources import FLAGS, Resources

KILOBYTE = 1024


def test_a_version_comes_back_as_it_was_stored(resources):
    control = resources.control
    content = b'{ "spaces":  "stay",\n "order": ["z", "a"] }'
    made = control.create_hosted_configuration_version(
        **resources.in_profile,
        Content=content,
        ContentType="application/json",
        Description="the first one",
        VersionLabel="v1.0",
    )
    found = control.get_hosted_configuration_version(**resources.in_profile, VersionNumber=1)
    for answer in (made, found):
        assert answer.pop("Content").read() == content
        answer.pop("ResponseMetadata")
        assert answer == {
            "ApplicationId": resources.app,
            "ConfigurationProfileId": resources.profile,
            "VersionNumber": 1,
            "ContentType": "application/json",
            "Description": "the first one",
            "VersionLabel": "v1.0",
        }


def test_the_members_travel_in_headers_spelt_as_the_protocol_spells_them(resources):
    path = f"/applications/{resources.app}/configurationprofiles/{resources.profile}/hostedconfigurationversions"
    headers = {"content-type": "text/x-own", "Description": "d", "VersionLabel": "first"}
    answer = resources.server.signed.call("POST", path, b"bytes", headers)
    assert answer.status == 201 and answer.body == b"bytes"
    names = set(answer.headers) - {"date", "x-amzn-requestid", "content-length"}
    assert names == {
        "application-id",
        "configuration-profile-id",
        "version-number",
        "content-type",
        "description",
        "versionlabel",
    }
    assert answer.headers["content-type"] == "text/x-own"
    assert answer.headers["version-number"] == "1"


def test_bytes_that_are_no_text_survive(resources):
    content = bytes(range(256)) * 4
    made = resources.control.create_hosted_configuration_version(
        **resources.in_profile, Content=content, ContentType="application/octet-stream"
    )
    assert made["Content"].read() == content
    resources.start(1)
    assert resources.read() == content


def test_a_content_type_is_kept_to_the_letter(resources):
    for content_type in ("application/json; charset=UTF-8", "Text/Plain;a=b", "application/x-yaml"):
        number = resources.version(b"{}", content_type)
        found = resources.control.get_hosted_configuration_version(**resources.in_profile, VersionNumber=number)
        assert found["ContentType"] == content_type


def test_versions_are_listed_newest_first_without_their_content(resources):
    for number, label in ((1, "a-1"), (2, None), (3, "a-2"), (4, "b-1")):
        assert resources.version(f"content {number}", **({"VersionLabel": label} if label else {})) == number

    def numbers(**members):
        found = resources.control.list_hosted_configuration_versions(**resources.in_profile, **members)
        assert all("Content" not in item for item in found["Items"])
        return [item["VersionNumber"] for item in found["Items"]]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(VersionLabel="a-1") == [1]
    assert numbers(VersionLabel="a-*") == [3, 1]
    assert numbers(VersionLabel="c*") == []


def test_numbers_are_never_given_twice(resources, refused):
    for _ in range(2):
        resources.version("x")
    resources.control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=2)
    assert resources.version("x") == 3
    text = (
        f"Hosted Configuration Version with Application Id {resources.app}, Configuration Profile Id "
        f"{resources.profile}, and Version 2 could not be found for account {resources.server.account}"
    )
    with refused("ResourceNotFoundException", text, 404):
        resources.control.get_hosted_configuration_version(**resources.in_profile, VersionNumber=2)
    with refused("ResourceNotFoundException", text, 404):
        resources.control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=2)


def test_the_lock_admits_only_who_has_seen_the_latest_version(resources, refused):
    assert resources.version("x", LatestVersionNumber=0) == 1
    assert resources.version("x", LatestVersionNumber=1) == 2
    text = "Expected latest version 1 does not match actual latest version 2"
    with refused("ConflictException", text, 409):
        resources.version("x", LatestVersionNumber=1)
    assert resources.version("x") == 3, "without the member nothing is checked"


def test_a_label_names_one_version(resources, refused):
    resources.version("x", VersionLabel="release")
    text = (
        "The version label 'release' has already been assigned to hosted configuration version 1. "
        "Please provide a different version label to create your hosted configuration version."
    )
    with refused("BadRequestException", text, 400):
        resources.version("y", VersionLabel="release")
    resources.control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=1)
    assert resources.version("y", VersionLabel="release") == 2, "a deleted version's label is free"


def test_a_label_is_more_than_digits(resources, refused):
    text = (
        "1 validation error detected: Value '12' at 'versionLabel' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: .*[^0-9].*"
    )
    with refused("BadRequestException", text, 400):
        resources.version("x", VersionLabel="12")


def test_content_is_not_empty(resources, refused):
    text = "1 validation error detected: Value at 'content' failed to satisfy constraint: Member must not be null"
    with refused("BadRequestException", text, 400):
        resources.version(b"", "text/plain")


def test_a_description_is_kept_and_an_empty_one_is_not(resources):
    made = resources.control.create_hosted_configuration_version(
        **resources.in_profile, Content=b"x", ContentType="text/plain", Description=""
    )
    assert made.get("Description", "") == ""
    found = resources.control.get_hosted_configuration_version(**resources.in_profile, VersionNumber=1)
    assert "Description" not in found


def test_two_megabytes_are_enough_and_one_byte_more_is_too_much(resources, refused):
    assert resources.version(b"x" * 2048 * KILOBYTE, "text/plain") == 1
    with refused("PayloadTooLargeException", "Content size limit exceeded.", 413) as refusal:
        resources.version(b"x" * (2048 * KILOBYTE + 1), "text/plain")
    told = {name: refusal.response[name] for name in ("Measure", "Limit", "Size")}
    assert told == {"Measure": "KILOBYTES", "Limit": 2048.0, "Size": 2049.0}


def test_a_deployed_version_may_be_deleted_and_is_served_on(resources):
    resources.publish({"kept": True})
    token = resources.session()
    resources.control.delete_hosted_configuration_version(**resources.in_profile, VersionNumber=1)
    assert json.loads(resources.poll(token)[0]) == {"kept": True}
    assert json.loads(resources.read()) == {"kept": True}


class TestFlagDocuments:
    DOCUMENT = {
        "version": "1",
        "flags": {
            "banner": {
                "name": "Banner",
                "attributes": {"price": {"constraints": {"type": "number", "minimum": 0, "required": True}}},
            }
        },
        "values": {"banner": {"enabled": True, "price": 3}},
    }

    @pytest.fixture
    def flags(self, server, fresh_name):
        return Resources(server, fresh_name, FLAGS)

    def test_a_document_is_stored_in_its_normal_form(self, flags):
        made = flags.control.create_hosted_configuration_version(
            **flags.in_profile, Content=json.dumps(self.DOCUMENT, indent=2), ContentType="application/json"
        )
        body = made["Content"].read()
        stored = json.loads(body)
        assert body == json.dumps(stored, separators=(",", ":"), sort_keys=True).encode()
        stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
        for entry in (stored["flags"]["banner"], stored["values"]["banner"]):
            assert stamp.fullmatch(entry.pop("_createdAt")) and stamp.fullmatch(entry.pop("_updatedAt"))
        assert stored == self.DOCUMENT
        again = flags.control.get_hosted_configuration_version(**flags.in_profile, VersionNumber=1)
        assert again["Content"].read() == body

    def test_the_same_document_again_is_the_same_version(self, flags):
        assert flags.version(self.DOCUMENT) == 1
        assert flags.version(self.DOCUMENT) == 1
        assert flags.version(self.DOCUMENT | {"values": {"banner": {"enabled": False, "price": 3}}}) == 2

    def test_a_value_out_of_bounds_is_refused_with_its_place(self, flags, refused):
        document = self.DOCUMENT | {"values": {"banner": {"enabled": True, "price": -1}}}
        text = "Error invoking extension AppConfig Feature Flags Helper: Invalid 'Content' data"
        with refused("BadRequestException", text, 400) as refusal:
            flags.version(document)
        assert refusal.response["Reason"] == "InvalidConfiguration"
        found = refusal.response["Details"]["InvalidConfiguration"]
        expected = {"Constraint": "FloatGTE(0)", "Location": "values.banner.price", "Type": "NotSatisfied", "Value": "-1"}
        assert [{name: one[name] for name in expected} for one in found] == [expected]

    def test_variants_and_deprecations_are_stored_in_their_normal_form(self, flags):
        document = {
            "version": "1",
            "unknown": True,
            "flags": {
                "f": {"_deprecation": {"status": "planned", "date": "2027-06-30"}, "attributes": {}, "unknown": 1},
                "g": {},
            },
            "values": {
                "f": {
                    "_variants": [
                        {"name": "some", "enabled": "T", "rule": "(gt $since 2024-01)", "attributeValues": {}},
                        {"name": "rest", "enabled": None, "rule": ""},
                    ]
                },
                "g": {"_variants": []},
            },
        }
        assert flags.version(document) == 1
        made = flags.control.get_hosted_configuration_version(**flags.in_profile, VersionNumber=1)
        body = made["Content"].read()
        stored = json.loads(body)
        for entry in (*stored["flags"].values(), *stored["values"].values()):
            assert entry.pop("_createdAt") and entry.pop("_updatedAt")
        assert stored == {
            "version": "1",
            "flags": {"f": {"_deprecation": {"status": "planned", "date": "2027-06-30"}}, "g": {}},
            "values": {
                "f": {
                    "_variants": [
                        {"name": "some", "enabled": True, "rule": "(gt $since 2024-01)"},
                        {"name": "rest", "enabled": False},
                    ]
                },
                "g": {},
            },
        }
        assert flags.version(body, "application/json") == 1, "what was stored is the same content"
        flags.start(1)
        assert json.loads(flags.read()) == {"f": {"_variant": "rest", "enabled": False}, "g": {"enabled": False}}

    @pytest.mark.parametrize(
        "rule, reason, place",
        [
            ("not-a-rule", "NotAnExpression", ""),
            ('(nope $tier "premium")', "UnknownSymbol", ""),
            ('(eq $user-id "u1")', "UnknownSymbol", ".eq.1"),
            ('(and (exists key::"a") (eq $tier))', "TooFewOperands", ".and.2.eq"),
            ('(in $tier "premium")', "InvalidOperand", ".in.2"),
            ('(matches in::$a pattern::"(")', "InvalidPattern", ".matches.2"),
            ("(split pct::101 by::$a)", "InvalidPercentage", ".split.1"),
        ],
    )
    def test_a_rule_that_is_none_is_refused_with_its_place(self, flags, refused, rule, reason, place):
        variants = [{"name": "some", "enabled": True, "rule": rule}, {"name": "rest", "enabled": True}]
        with refused("BadRequestException", status=400) as refusal:
            flags.version({"version": "1", "values": {"f": {"_variants": variants}}})
        where = "values.f._variants.0.rule"
        found = refusal.response["Details"]["InvalidConfiguration"]
        told = [(one["Constraint"], one["Location"], one["Value"], one.get("Reason")) for one in found]
        assert told == [("Empty", where, rule, None), ("RuleIsValid", where + place, rule, reason)]

    def test_the_default_variant_is_the_last_one_and_names_differ(self, flags, refused):
        def constraints(*variants):
            with refused("BadRequestException", status=400) as refusal:
                flags.version({"version": "1", "values": {"f": {"_variants": list(variants)}}})
            return [(one["Constraint"], one["Location"]) for one in refusal.response["Details"]["InvalidConfiguration"]]

        some, rest = {"name": "some", "enabled": True, "rule": "(eq $a 1)"}, {"name": "rest", "enabled": True}
        where = "values.f._variants.variants"
        assert constraints(rest, some) == [("NonEmpty", f"{where}.rest.rule"), ("Empty", f"{where}.some.rule")]
        same = {"name": "some", "enabled": True}
        assert constraints(some, same) == [("UniqueVariantNames", f"{where}.variants")]

    def test_a_document_that_is_no_json_is_malformed(self, flags, refused):
        text = "Error invoking extension AppConfig Feature Flags Helper: Malformed 'Content' provided"
        with refused("BadRequestException", text, 400) as refusal:
            flags.version("{nonsense", "application/json")
        assert refusal.response["Reason"] == "InvalidConfiguration"

    @pytest.mark.parametrize(
        "version, value", [(None, ""), ("2", "2")], ids=["no version", "an unknown version"]
    )
    def test_a_document_says_which_version_of_the_format_it_is(self, flags, refused, version, value):
        document = {"flags": {}, **({"version": version} if version else {})}
        with refused("BadRequestException", status=400) as refusal:
            flags.version(document)
        (found,) = refusal.response["Details"]["InvalidConfiguration"]
        assert (found["Location"], found["Value"]) == ("version", value)
        assert found["Constraint"] == ("OneOf(1)" if version else "Required")

    def test_a_document_is_json(self, flags, refused):
        with refused("BadRequestException", status=400):
            flags.version(json.dumps(self.DOCUMENT), "text/plain")

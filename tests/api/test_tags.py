# SPDX-License-Identifier: Apache-2.0
"""Tags and resource policies through boto3, over restarts and at their limits."""
import json

import pytest

from conftest import definition


def tags_of(client, arn):
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_of_resource(ResourceArn=arn)["Tags"]}


def tag_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def arn_of(client, name):
    return client.describe_table(TableName=name)["Table"]["TableArn"]


def policy_for(arn, action="dynamodb:GetItem"):
    return {"Version": "2012-10-17", "Statement": [{
        "Sid": "read", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": action, "Resource": arn}]}


def test_tags_given_at_creation_are_there_and_change(dynamodb, table):
    name = table("id:S", Tags=tag_list({"a": "1", "b": "2"}))
    arn = arn_of(dynamodb, name)
    assert tags_of(dynamodb, arn) == {"a": "1", "b": "2"}
    dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list({"b": "3", "ü": "ünïcode", "c": ""}))
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert tags_of(dynamodb, arn) == {"b": "3", "ü": "ünïcode", "c": ""}


def test_tags_and_policies_outlive_a_restart_and_not_their_table(disk_server):
    client = disk_server.client()
    client.create_table(**definition("Kept", "id:S"))
    arn = arn_of(client, "Kept")
    client.tag_resource(ResourceArn=arn, Tags=tag_list({"team": "a"}))
    revision = client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy_for(arn)))
    disk_server.stop()
    disk_server.start()
    client = disk_server.client()
    assert tags_of(client, arn) == {"team": "a"}
    kept = client.get_resource_policy(ResourceArn=arn)
    assert kept["RevisionId"] == revision["RevisionId"]
    assert json.loads(kept["Policy"]) == policy_for(arn)
    client.delete_table(TableName="Kept")
    client.create_table(**definition("Kept", "id:S"))
    assert tags_of(client, arn) == {}
    with pytest.raises(client.exceptions.PolicyNotFoundException):
        client.get_resource_policy(ResourceArn=arn)


def test_lengths_are_counted_in_characters(dynamodb, table):
    arn = arn_of(dynamodb, table("id:S"))
    dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list({"ü" * 128: "é" * 256}))
    assert tags_of(dynamodb, arn) == {"ü" * 128: "é" * 256}
    for tags in ({"ü" * 129: ""}, {"k": "é" * 257}):
        with pytest.raises(dynamodb.exceptions.ClientError, match="provided is invalid"):
            dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list(tags))


def test_policies_change_under_their_revision(new_server):
    running = new_server(flags=["--admin"])
    client = running.client()
    client.create_table(**definition("Guarded", "id:S"))
    arn = arn_of(client, "Guarded")
    first = client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy_for(arn)),
                                       ExpectedRevisionId="NO_POLICY")["RevisionId"]
    running.admin("clock", advance=15)
    other = json.dumps(policy_for(arn, "dynamodb:*"))
    second = client.put_resource_policy(ResourceArn=arn, Policy=other,
                                        ExpectedRevisionId=first)["RevisionId"]
    assert second != first
    running.admin("clock", advance=15)
    with pytest.raises(client.exceptions.PolicyNotFoundException):
        client.delete_resource_policy(ResourceArn=arn, ExpectedRevisionId=first)
    assert client.delete_resource_policy(ResourceArn=arn)["RevisionId"] == second


def test_policy_may_have_20_kilobytes(dynamodb, table):
    arn = arn_of(dynamodb, table("id:S"))
    policy = policy_for(arn)
    policy["Statement"][0]["Sid"] = "s" * (20480 - len(json.dumps(policy_for(arn))) + len("read"))
    text = json.dumps(policy)
    assert len(text) == 20480
    with pytest.raises(dynamodb.exceptions.ClientError, match="Maximum policy size of 20480 bytes"):
        dynamodb.put_resource_policy(ResourceArn=arn, Policy=text + " ")
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=text)
    assert json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]) == policy

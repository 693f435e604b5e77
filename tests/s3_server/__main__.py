"""The server: says where it is and who may use it, as JSON, and ends with its stdin."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

CALLS_TO_SET_UP = 6
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(CALLS_TO_SET_UP)  # moto checks signatures from then on


def main() -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    from tests.s3_server import BUCKET, REGION

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    options: dict[str, Any] = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": REGION,
        "aws_access_key_id": "nobody",
        "aws_secret_access_key": "nothing",
    }
    iam = boto3.client("iam", **options)
    keys = {}
    for user in ("owner", "stranger"):
        iam.create_user(UserName=user)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        keys[user] = key["AccessKeyId"], key["SecretAccessKey"]
    everything = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    document = json.dumps({"Version": "2012-10-17", "Statement": everything})
    iam.put_user_policy(UserName="owner", PolicyName="everything", PolicyDocument=document)
    boto3.client("s3", **options).create_bucket(Bucket=BUCKET)
    sys.stdout.write(f"{json.dumps({'port': port, **keys})}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


main()

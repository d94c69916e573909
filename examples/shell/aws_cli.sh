#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The AWS command line creates, fills, queries and deletes a table: songs by artist and title.
set -eu

# The command line signs every request, so it needs credentials even where nobody checks them.
if [ -z "${AWS_ACCESS_KEY_ID:-}" ]; then
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
fi
export AWS_ENDPOINT_URL_DYNAMODB="${AWS_ENDPOINT_URL_DYNAMODB:-http://127.0.0.1:8000}"
export AWS_PAGER=

if ! command -v aws >/dev/null; then
    echo "skipped: there is no aws command"
    exit 77
fi

table="songs-$$-$(date +%s)"

dynamodb()
{
    aws --region us-east-1 --output text dynamodb "$@"
}

# check CLAIM ACTUAL EXPECTED
check()
{
    if [ "$2" != "$3" ]; then
        printf 'not so: %s\nexpected: %s\n  actual: %s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    echo "ok: $1"
}

status=$(dynamodb create-table --table-name "$table" --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=artist,AttributeType=S \
        AttributeName=title,AttributeType=S AttributeName=year,AttributeType=N \
    --key-schema AttributeName=artist,KeyType=HASH AttributeName=title,KeyType=RANGE \
    --local-secondary-indexes 'IndexName=by_year,Projection={ProjectionType=ALL},KeySchema=[
        {AttributeName=artist,KeyType=HASH},{AttributeName=year,KeyType=RANGE}]' \
    --query TableDescription.TableName)
trap 'dynamodb delete-table --table-name "$table" >/dev/null' EXIT
check "the table is being made" "$status" "$table"
dynamodb wait table-exists --table-name "$table"

# Many at once: a JSON document with up to 25 writes.
left=$(dynamodb batch-write-item --query 'length(UnprocessedItems)' --request-items '{"'"$table"'": [
    {"PutRequest": {"Item": {"artist": {"S": "Nina Simone"}, "title": {"S": "Sinnerman"},
        "year": {"N": "1965"}, "seconds": {"N": "622"}}}},
    {"PutRequest": {"Item": {"artist": {"S": "Nina Simone"}, "title": {"S": "Feeling Good"},
        "year": {"N": "1965"}, "seconds": {"N": "174"}}}},
    {"PutRequest": {"Item": {"artist": {"S": "Nina Simone"}, "title": {"S": "Ain'\''t Got No"},
        "year": {"N": "1968"}}}},
    {"PutRequest": {"Item": {"artist": {"S": "Can"}, "title": {"S": "Vitamin C"},
        "year": {"N": "1972"}, "tags": {"SS": ["rock", "cologne"]}}}}]}')
check "all four songs are written" "$left" 0

# One at a time, unless it is there already.
if refusal=$(dynamodb put-item --table-name "$table" \
    --item '{"artist": {"S": "Can"}, "title": {"S": "Vitamin C"}}' \
    --condition-expression 'attribute_not_exists(artist)' 2>&1); then
    refusal="no error"
fi
case $refusal in
*ConditionalCheckFailedException*) echo "ok: a song is not overwritten" ;;
*) check "a song is not overwritten" "$refusal" ConditionalCheckFailedException ;;
esac

titles=$(dynamodb query --table-name "$table" --query 'Items[].title.S' \
    --key-condition-expression 'artist = :artist' \
    --expression-attribute-values '{":artist": {"S": "Nina Simone"}}' | tr '\t' ',')
check "a query finds an artist's songs by title" "$titles" "Ain't Got No,Feeling Good,Sinnerman"

titles=$(dynamodb query --table-name "$table" --index-name by_year --no-scan-index-forward \
    --query 'Items[].title.S' --key-condition-expression 'artist = :artist AND #year > :year' \
    --expression-attribute-names '{"#year": "year"}' \
    --expression-attribute-values '{":artist": {"S": "Nina Simone"}, ":year": {"N": "1966"}}')
check "the index finds them by year" "$titles" "Ain't Got No"

seconds=$(dynamodb update-item --table-name "$table" --return-values UPDATED_NEW \
    --key '{"artist": {"S": "Can"}, "title": {"S": "Vitamin C"}}' \
    --update-expression 'SET seconds = :seconds DELETE tags :tags' \
    --expression-attribute-values '{":seconds": {"N": "214.5"}, ":tags": {"SS": ["rock"]}}' \
    --query '[Attributes.seconds.N, Attributes.tags.SS[0]]' | tr '\t' ',')
check "an update answers with what it changed" "$seconds" "214.5,cologne"

count=$(dynamodb scan --table-name "$table" --select COUNT --query Count \
    --filter-expression 'attribute_exists(seconds)')
check "three songs have a length" "$count" 3

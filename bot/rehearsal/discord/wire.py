"""The embedded Discord's JSON: users, messages, guild and gateway payloads as API v10 words them.

Only fields the service always sends are here; optional ones are left out rather than sent as null,
as the service does. Format: https://discord.com/developers/docs/resources/message
"""

from datetime import datetime
from typing import Any

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.guild import Attachment, Channel, Guild, Message

Json = dict[str, Any]

_TEXT_CHANNEL = 0
_DEFAULT_MESSAGE, _REPLY = 0, 19
_MESSAGE_CONTENT = 1 << 19
"""An application's flag: a small bot that has the intent, as everybody here has."""


def user_json(person: Person) -> Json:
    return {
        "id": str(person.id),
        "username": person.name,
        "global_name": person.name,
        "discriminator": "0",
        "avatar": None,
        "bot": person.bot,
    }


def application_json(person: Person) -> Json:
    return {
        "id": str(person.id),
        "name": person.name,
        "description": "",
        "icon": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": _MESSAGE_CONTENT,
        "owner": user_json(person),
    }


def channel_json(channel: Channel, guild: Guild) -> Json:
    return {
        "id": str(channel.id),
        "type": _TEXT_CHANNEL,
        "guild_id": str(guild.id),
        "name": channel.name,
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "topic": None,
        "parent_id": None,
    }


def member_json(person: Person) -> Json:
    joined = "2026-01-01T00:00:00.000000+00:00"
    return {
        "user": user_json(person),
        "roles": [],
        "joined_at": joined,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def everyone_json(guild: Guild) -> Json:
    """The role that everybody has."""
    return {
        "id": str(guild.id),
        "name": "@everyone",
        "permissions": str(guild.permissions),
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "position": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
    }


def server_json(guild: Guild) -> Json:
    """What a guild is to who asks for it: not who is in it, nor which channels it has."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": "1",
        "roles": [everyone_json(guild)],
        "emojis": [],
        "stickers": [],
        "features": [],
    }


def guild_json(guild: Guild, self_id: int) -> Json:
    return {
        **server_json(guild),
        "channels": [channel_json(one, guild) for one in guild.channels.values()],
        "members": [member_json(guild.people[self_id])],
        "member_count": len(guild.people),
        "unavailable": False,
        "threads": [],
    }


def attachment_json(attachment: Attachment, channel_id: int, base_url: str) -> Json:
    url = f"{base_url}/attachments/{channel_id}/{attachment.id}/{attachment.filename}"
    return {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.content),
        "content_type": attachment.content_type,
        "url": url,
        "proxy_url": url,
    }


def message_json(message: Message, guild: Guild, base_url: str, reader_id: int) -> Json:
    """`reader_id` is whose eyes it is for: each reaction says whether it is one's own."""
    body: Json = {
        "id": str(message.id),
        "type": _DEFAULT_MESSAGE if message.reply_to is None else _REPLY,
        "channel_id": str(message.channel_id),
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": timestamp(message.sent_at),
        "edited_timestamp": timestamp(message.edited_at) if message.edited_at else None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [user_json(guild.people[user_id]) for user_id in message.mentions],
        "mention_roles": [],
        "attachments": [attachment_json(one, message.channel_id, base_url) for one in message.attachments],
        "embeds": [],
        "components": [],
        "pinned": False,
        "flags": 0,
        "reactions": [
            {
                "emoji": {"id": None, "name": emoji},
                "count": len(users),
                "me": reader_id in users,
                "me_burst": False,
                "count_details": {"burst": 0, "normal": len(users)},
                "burst_colors": [],
            }
            for emoji, users in message.reactions.items()
        ],
    }
    if message.nonce is not None:
        body["nonce"] = message.nonce
    if message.reply_to is not None:
        body["message_reference"] = {
            "type": 0,
            "message_id": str(message.reply_to),
            "channel_id": str(message.channel_id),
            "guild_id": str(guild.id),
        }
    return body


def ready_json(person: Person, guild: Guild, session_id: str, gateway_url: str) -> Json:
    return {
        "v": 10,
        "user": user_json(person),
        "guilds": [{"id": str(guild.id), "unavailable": True}],
        "session_id": session_id,
        "resume_gateway_url": gateway_url,
        "application": {"id": str(person.id), "flags": _MESSAGE_CONTENT},
    }


def timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")

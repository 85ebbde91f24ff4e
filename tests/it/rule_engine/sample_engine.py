#!/usr/bin/env python3
import loguru
import traceback

from aiohttp import web

logger = loguru.logger
routes = web.RouteTableDef()


@routes.post('/webhook')
async def webhook(request: web.Request):
    try:
        response = {
            'assignment': []
        }
        request_data = await request.json()

        if request_data.get('incoming_messages'):
            for message in request_data.get('incoming_messages'):
                # Assign every new message to a bot with User ID = 42
                response['assignment'].append({
                    'message_id': message['id'],
                    'user': 42
                })

        if request_data.get('chat_tagging'):
            tagging = request_data.get('chat_tagging')
            # Assign every Chat rejected by a bot, to a group of Agents
            if tagging['action'] == 'added' and tagging['tag']['name'] == 'Agent needed':
                response['assignment'].append({
                    # Assign a chat to a group
                    'chat_id': tagging['chat'],
                    'group': 23,
                    'group_assign_method': 'let_group_decide'
                })

        if request_data.get('message_tagging'):
            tagging = request_data.get('message_tagging')
            # Remember that Messages can be tagged separately, too
            if tagging['action'] == 'added' and tagging['tag']['name'] == 'Agent needed':
                response['assignment'].append({
                    # Assign a chat to a group, but also indicate which message the assignment is started
                    'message_id': tagging['message'],
                    'group': 23,
                    'group_assign_method': 'let_group_decide'
                })

        return web.json_response(response)
    except Exception as error:
        logger.error(traceback.format_exc())
        return web.json_response({'error': str(error)})


if __name__ == '__main__':
    app = web.Application()
    app.add_routes(routes)
    web.run_app(app)

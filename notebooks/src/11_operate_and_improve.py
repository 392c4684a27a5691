# %% name="server-graph"
# %%writefile graph.py
# import os
#
# from langchain.agents import create_agent
# from langchain.tools import tool
# from langchain_openai import ChatOpenAI
#
#
# @tool
# def track(order: str) -> str:
#     """Say where an order is."""
#     return f"Order {order} is on its way."
#
#
# chat = ChatOpenAI(base_url=os.environ["MODEL_URL"], api_key="none", model="small")
# graph = create_agent(chat, [track])

# %% name="server-file"
# %%writefile langgraph.json
# {
#   "dependencies": ["."],
#   "graphs": {"support": "./graph.py:graph"},
#   "python_version": "3.12"
# }

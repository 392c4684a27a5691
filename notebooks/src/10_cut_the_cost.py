# %% [markdown] name="title"
# # 10 Cut the cost
